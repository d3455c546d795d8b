/** Plays schedules on a machine that is only described. For planners, engines and reports. */
package dev.offload.planner.simulate;
