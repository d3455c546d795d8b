package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import dev.offload.jobs.journal.JobLock;
import dev.offload.jobs.journal.Journal;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A job as the command line runs it: keeps others away from the output, opens journal and model
 * side by side, shows progress, and says what came out.
 */
final class CommandJob {
  private final PrintWriter err;
  private final Path model;
  private final JobFiles files;
  private final StartMode mode;

  /**
   * @param err where progress and messages go
   */
  CommandJob(PrintWriter err, Path model, JobFiles files, StartMode mode) {
    this.err = err;
    this.model = model;
    this.files = files;
    this.mode = mode;
  }

  /** The steps that differ from job to job, in the order in which they are taken. */
  interface Steps {
    /** Which job this is. */
    JobDescription describe() throws IOException;

    /** Opens the model. */
    EngineGenerator openModel() throws RefusedException;

    /** Runs the job. */
    JobOutcome run(
        JobState state,
        EngineGenerator model,
        JobDescription description,
        Consumer<JobCounters> watcher)
        throws IOException, InterruptedException;
  }

  /** Runs the job; returns the exit code. */
  int run(Steps steps) throws IOException, InterruptedException, RefusedException {
    Optional<JobLock> lock = JobLock.tryTake(files.lock());
    if (lock.isEmpty()) {
      throw new RefusedException(
          "another process is working on --output "
              + files.output()
              + "; wait for it or name another file");
    }
    try (Closing closing = new Closing()) {
      closing.add(lock.get());
      return runLocked(steps);
    }
  }

  private int runLocked(Steps steps) throws IOException, InterruptedException, RefusedException {
    mode.check(files);
    if (mode.isFinished(files)) {
      err.println(files.output() + " is finished: it exists and has no journal; nothing to do");
      return Files.exists(files.errors()) ? ExitCode.ROWS_FAILED : ExitCode.OK;
    }
    if (!Files.isDirectory(model)) {
      throw new RefusedException(
          "--model " + model + " is no folder; name the folder that holds config.json");
    }
    JobDescription description = steps.describe();
    try (Opening<JobState> opening =
        new Opening<>("offload-journal", () -> JobState.open(files, description, mode))) {
      if (mode == StartMode.RESUME) {
        opening.await();
      }
      try (EngineGenerator engine = steps.openModel();
          JobState state = opening.get()) {
        reportResumed(state);
        JobOutcome outcome = run(steps, state, engine, description);
        if (!engine.saveRouting()) {
          err.println("--save-routing: nothing was computed and nothing is written");
        }
        return report(outcome);
      } catch (JobStopped e) {
        err.println("stopped; the same command with --resume goes on");
        return ExitCode.STOPPED;
      } catch (IOException | RuntimeException e) {
        if (Journal.mayHoldRows(files.journal())) {
          err.println("finished rows are saved; the same command with --resume goes on");
        }
        throw e;
      }
    }
  }

  private JobOutcome run(
      Steps steps, JobState state, EngineGenerator engine, JobDescription description)
      throws IOException, InterruptedException {
    ProgressLine line = new ProgressLine(Files.size(files.input()));
    boolean terminal = Terminal.showsStandardError();
    try (Closing display = new Closing()) {
      return steps.run(
          state,
          engine,
          description,
          counters -> {
            display.add(StopSignals.listen(err, counters::stop));
            display.add(new ProgressDisplay(err, terminal, line, counters)).start();
          });
    }
  }

  private void reportResumed(JobState state) {
    if (state.journal().droppedBytes() > 0) {
      err.printf(
          Locale.ROOT,
          "the last %d bytes of %s are half-written or damaged and were dropped; their rows are"
              + " computed again%n",
          state.journal().droppedBytes(),
          files.journal());
    }
    if (state.finishedBefore() > 0) {
      err.printf(Locale.ROOT, "%d rows were finished before%n", state.finishedBefore());
    }
  }

  private int report(JobOutcome outcome) {
    err.printf(
        Locale.ROOT,
        "%d rows answered in %s%n",
        outcome.rows() - outcome.failedRows(),
        files.output());
    if (outcome.failedRows() > 0) {
      err.printf(
          Locale.ROOT, "%d rows refused, reasons in %s%n", outcome.failedRows(), files.errors());
    }
    return outcome.exitCode();
  }
}
