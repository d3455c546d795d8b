/**
 * What is asked of the engine and what it answers: requests with their sampling parameters,
 * results, and where they come from and go to. Plain values; every package above the planner may
 * use them.
 */
package dev.offload.generation;
