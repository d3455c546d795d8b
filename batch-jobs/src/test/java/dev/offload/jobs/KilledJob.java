package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.rows.Answers;
import dev.offload.jobs.rows.RowDefaults;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.LongConsumer;

/** A program to be killed: runs or resumes a job, with a fake model or a real one. */
final class KilledJob {
  static final JobDescription JOB = new JobDescription(Map.of("--seed", "0"));

  private static final Path MODEL = Path.of("../examples/models/tiny-moe");

  /** No job gets beyond this row of its input; none without the system property. */
  private static final long HELD_ROW = Long.getLong("offload.held.row", -1);

  private static final long A_DAY = 86_400_000;

  private KilledJob() {}

  /** What the job does with its rows. */
  enum Kind {
    /** Fake answers, the order in which rows finish changes from start to start. */
    GENERATE {
      @Override
      int run(Path input, Path output, long rowMillis) throws Exception {
        return fake(
            input,
            output,
            (files, state) -> {
              Answers answers = new Answers("job", state.journal().createdSeconds());
              Generator generator =
                  new FakeGenerator(
                      System.nanoTime(), row -> sleep(row == HELD_ROW ? A_DAY : rowMillis));
              return new Job<>(
                  state, new GenerationTask(files, new RowDefaults(256), answers, generator));
            });
      }
    },
    /** Fake labels; an output that is no JSONL is made from the lines at the end. */
    LABEL {
      @Override
      int run(Path input, Path output, long rowMillis) throws Exception {
        LongConsumer slow = row -> sleep(rowMillis);
        return fake(
            input,
            output,
            (files, state) -> new Job<>(state, FakeChooser.task(files, System.nanoTime(), slow)));
      }
    },
    /** The command itself with a model. */
    COMMAND {
      @Override
      int run(Path input, Path output, long rowMillis) {
        Main.main(
            new String[] {
              "generate",
              "--model=" + MODEL,
              "--input=" + input,
              "--output=" + output,
              "--dtype=float32",
              "--max-tokens=6",
              "--resume"
            });
        throw new AssertionError("the command ends the process");
      }
    };

    /** Runs the job to its end; returns the exit code. */
    abstract int run(Path input, Path output, long rowMillis) throws Exception;
  }

  /** Makes a job of what is on disk. */
  private interface NewJob {
    Job<?, ?, ?> of(JobFiles files, JobState state);
  }

  /**
   * Runs the job.
   *
   * @param arguments kind, input, output, and milliseconds per row
   */
  public static void main(String[] arguments) throws Exception {
    Kind kind = Kind.valueOf(arguments[0]);
    Path input = Path.of(arguments[1]);
    Path output = Path.of(arguments[2]);
    System.exit(kind.run(input, output, Long.parseLong(arguments[3])));
  }

  private static int fake(Path input, Path output, NewJob job) throws Exception {
    JobFiles files = new JobFiles(input, output, JobFiles.errorsBeside(output, ".jsonl"));
    if (StartMode.RESUME.isFinished(files)) {
      return ExitCode.OK;
    }
    try (JobState state = JobState.open(files, JOB, StartMode.RESUME)) {
      return job.of(files, state).run(counters -> {}).exitCode();
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
