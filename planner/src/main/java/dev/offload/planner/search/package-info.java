/**
 * Finds the plan that gives most tokens per second on a machine: loads of a pass, a linear program,
 * rounding to whole units, and a search around it.
 */
package dev.offload.planner.search;
