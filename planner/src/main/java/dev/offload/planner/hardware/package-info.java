/** What a machine can do: measured, or stated by others. */
package dev.offload.planner.hardware;
