package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Kills a process that works on a job at random instants of its whole life, again and again. The
 * system property {@code offload.kills} says how often.
 */
class KillTest {
  private static final int KILLS = Integer.getInteger("offload.kills", 6);
  private static final int ROWS = 1500;

  /** A start with a model takes long, and differs from one with a fake in the engine only. */
  private static final int ROWS_OF_COMMAND = 60;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"GENERATE, .jsonl", "LABEL, .jsonl", "LABEL, .csv", "COMMAND, .jsonl"})
  void shouldLoseAndRepeatNothingWhenKilled(KilledJob.Kind kind, String ending) throws Exception {
    boolean real = kind == KilledJob.Kind.COMMAND;
    Path input = folder.resolve("in.jsonl");
    Files.writeString(input, String.join("\n", JobTest.rows(real ? ROWS_OF_COMMAND : ROWS)));
    Path whole = Files.createDirectory(folder.resolve("whole")).resolve("out" + ending);
    Process uninterrupted = start(kind, input, whole, 1);
    long life = nanosUntilEnd(uninterrupted);
    assertEquals(ExitCode.ROWS_FAILED, uninterrupted.exitValue());
    Path jobs = Files.createDirectory(folder.resolve("jobs"));
    Path output = jobs.resolve("out" + ending);
    Random random = new Random(System.nanoTime());
    int resumed = 0;
    int kills = 0;
    int enough = real ? (KILLS + 3) / 4 : KILLS;
    while (kills < enough || resumed == 0) {
      assertTrue(kills < 10 * enough, "no kill came while there was a journal");
      Process process = start(kind, input, output, random.nextInt(3));
      long begin = System.nanoTime();
      boolean ended = process.waitFor(random.nextLong(life), TimeUnit.NANOSECONDS);
      if (ended) {
        life = System.nanoTime() - begin;
        requireSame(whole, output);
        empty(jobs);
      } else {
        process.destroyForcibly();
        nanosUntilEnd(process);
        boolean hasJournal = Files.exists(jobs.resolve("out" + ending + ".journal"));
        resumed += hasJournal ? 1 : 0;
        // The machine may be slower by now, so that a process begins only after a former's life.
        life += hasJournal ? 0 : life / 4;
        kills++;
      }
    }
    Process last = start(kind, input, output, 0);
    nanosUntilEnd(last);
    assertTrue(
        List.of(ExitCode.OK, ExitCode.ROWS_FAILED).contains(last.exitValue()),
        () -> "exit code " + last.exitValue());
    requireSame(whole, output);
  }

  private static long nanosUntilEnd(Process process) throws InterruptedException {
    long begin = System.nanoTime();
    assertTrue(process.waitFor(10, TimeUnit.MINUTES));
    return System.nanoTime() - begin;
  }

  /** Compares output, errors, and that nothing else is left. */
  private static void requireSame(Path whole, Path output) throws IOException {
    assertEquals(names(whole.getParent()), names(output.getParent()));
    for (String name : names(output.getParent())) {
      assertEquals(
          Files.readString(whole.resolveSibling(name)),
          Files.readString(output.resolveSibling(name)));
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static void empty(Path folder) throws IOException {
    for (String name : names(folder)) {
      Files.delete(folder.resolve(name));
    }
  }

  private static Process start(KilledJob.Kind kind, Path input, Path output, long rowMillis)
      throws IOException {
    // What has no model to run is over before the second compiler has paid.
    List<String> flags =
        kind == KilledJob.Kind.COMMAND ? List.of() : List.of("-XX:TieredStopAtLevel=1");
    return new ProcessBuilder(
            ChildJvm.command(flags, KilledJob.class, kind, input, output, rowMillis))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
