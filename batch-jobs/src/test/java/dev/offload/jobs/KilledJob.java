package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.rows.RowDefaults;
import java.nio.file.Path;
import java.util.Map;

/** A program to be killed: runs or resumes a slow job with a fake generator. */
final class KilledJob {
  static final JobDescription JOB = new JobDescription(Map.of("--seed", "0"));

  private KilledJob() {}

  /**
   * Runs the job.
   *
   * @param arguments input, output, and milliseconds per row
   */
  public static void main(String[] arguments) throws Exception {
    run(Path.of(arguments[0]), Path.of(arguments[1]), Long.parseLong(arguments[2]));
  }

  static JobOutcome run(Path input, Path output, long rowMillis) throws Exception {
    JobFiles files = new JobFiles(input, output, JobFiles.errorsBeside(output));
    try (JobState state = JobState.open(files, JOB, StartMode.RESUME)) {
      return new Job(files, state, new RowDefaults(256), "job")
          .run(new FakeGenerator(System.nanoTime(), row -> sleep(rowMillis)), counters -> {});
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
