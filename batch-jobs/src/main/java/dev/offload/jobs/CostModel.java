package dev.offload.jobs;

/** What {@code offload plan} takes time from. */
enum CostModel {
  /** FlexGen's own linear program. */
  FLEXGEN
}
