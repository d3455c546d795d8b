/** What a machine can do: measured, stated by others, or assumed. */
package dev.offload.planner.hardware;
