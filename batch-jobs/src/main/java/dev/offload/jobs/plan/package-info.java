/**
 * What {@code offload plan} reads and prints: instances of FlexGen's program, and published
 * measurements beside predictions. For the command in {@code dev.offload.jobs}.
 */
package dev.offload.jobs.plan;
