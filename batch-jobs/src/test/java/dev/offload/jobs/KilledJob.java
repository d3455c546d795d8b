package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.RowDefaults;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.LongConsumer;

/** A program to be killed: runs or resumes a slow job with a fake model. */
final class KilledJob {
  static final JobDescription JOB = new JobDescription(Map.of("--seed", "0"));

  private KilledJob() {}

  /** What the job does with its rows. */
  enum Kind {
    GENERATE {
      @Override
      Job<?, ?, ?> job(JobFiles files, JobState state, LongConsumer beforeFinish) {
        Answers answers = new Answers("job", state.journal().createdSeconds());
        Generator generator = new FakeGenerator(System.nanoTime(), beforeFinish);
        return new Job<>(
            state, new GenerationTask(files, new RowDefaults(256), answers, generator));
      }
    },
    LABEL {
      @Override
      Job<?, ?, ?> job(JobFiles files, JobState state, LongConsumer beforeFinish) {
        return new Job<>(state, FakeChooser.task(files, System.nanoTime(), beforeFinish));
      }
    };

    abstract Job<?, ?, ?> job(JobFiles files, JobState state, LongConsumer beforeFinish);
  }

  /**
   * Runs the job.
   *
   * @param arguments kind, input, output, and milliseconds per row
   */
  public static void main(String[] arguments) throws Exception {
    run(
        Kind.valueOf(arguments[0]),
        Path.of(arguments[1]),
        Path.of(arguments[2]),
        Long.parseLong(arguments[3]));
  }

  static JobOutcome run(Kind kind, Path input, Path output, long rowMillis) throws Exception {
    JobFiles files = new JobFiles(input, output, JobFiles.errorsBeside(output, ".jsonl"));
    try (JobState state = JobState.open(files, JOB, StartMode.RESUME)) {
      return kind.job(files, state, row -> sleep(rowMillis)).run(counters -> {});
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
