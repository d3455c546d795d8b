package dev.offload.jobs;

/**
 * How a job ended.
 *
 * @param rows rows of the input
 * @param failedRows those of them in the error file
 * @param resumedRows those that were finished before this start
 */
record JobOutcome(long rows, long failedRows, long resumedRows) {
  int exitCode() {
    return failedRows > 0 ? ExitCode.ROWS_FAILED : ExitCode.OK;
  }
}
