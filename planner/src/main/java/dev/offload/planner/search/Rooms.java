package dev.offload.planner.search;

/**
 * What a design leaves of the budgets for weights, in bytes; negative if it takes more than there
 * is.
 *
 * @param device for resident weights, beside ring, cache and workspace
 * @param loading for resident weights while they are loaded
 * @param host for weights on the host, beside staging, cache, tables and what passes through
 * @param disk for weights on disk
 * @param tablesOnHost whether there is room for the lookup tables
 */
record Rooms(long device, long loading, long host, long disk, boolean tablesOnHost) {
  /** For resident weights, at any time. */
  long resident() {
    return Math.min(device, loading);
  }
}
