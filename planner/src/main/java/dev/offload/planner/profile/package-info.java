/** Measures what a machine can do, through the contract of its backends. */
package dev.offload.planner.profile;
