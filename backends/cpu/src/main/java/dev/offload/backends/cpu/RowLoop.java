package dev.offload.backends.cpu;

/** Runs row kernels in parallel: rows are cut into chunks of similar work. */
final class RowLoop {
  /** Numbers per task: some microseconds of work, against about one to hand a task over. */
  private static final int TASK_NUMBERS = 1 << 14;

  private RowLoop() {}

  /** Work on the rows {@code first} to {@code end - 1}; allocates its scratch once per call. */
  @FunctionalInterface
  interface Body {
    void run(int first, int end);
  }

  static void run(WorkerPool pool, int rows, int columns, Body body) {
    if (rows == 0) {
      return;
    }
    int chunk = Math.max(1, TASK_NUMBERS / columns);
    int tasks = (rows + chunk - 1) / chunk;
    if (tasks == 1) {
      body.run(0, rows);
      return;
    }
    pool.parallelFor(
        tasks, task -> body.run(task * chunk, (int) Math.min(rows, (task + 1L) * chunk)));
  }

  /** F32 scratch for a row, padded with zeros to whole vectors. */
  static float[] scratch(int columns) {
    return new float[Lanes.padded(columns)];
  }
}
