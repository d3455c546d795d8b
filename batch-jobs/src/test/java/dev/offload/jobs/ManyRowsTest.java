package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.journal.OrderedOutput;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A job of many small rows in a small heap, killed and continued. The system property {@code
 * offload.rows} says how many; what was measured is printed.
 */
class ManyRowsTest {
  private static final int ROWS = Integer.getInteger("offload.rows", 60_000);

  /** Enough for a job of up to a million rows, and for no more than some bytes per row. */
  private static final String SMALL_HEAP = "-Xmx" + (40 + ROWS / 10_000) + "m";

  @TempDir private Path folder;

  @Test
  void shouldNeedNoMoreMemoryForMoreRowsAndContinueQuickly() throws Exception {
    Path input = writeRows();
    Path whole = folder.resolve("whole.jsonl");
    long begin = System.nanoTime();
    Process uninterrupted = start(input, whole);
    assertTrue(uninterrupted.waitFor(10, TimeUnit.MINUTES));
    assertEquals(ExitCode.OK, uninterrupted.exitValue());
    print("%d rows in %.1f s", ROWS, seconds(begin));

    Path output = folder.resolve("out.jsonl");
    Path partial = OrderedOutput.partial(output);
    Process killed = start(input, output, "-Doffload.held.row=" + ROWS / 2);
    awaitBytes(killed, partial, Files.size(whole) / 3);
    killed.destroyForcibly();
    assertTrue(killed.waitFor(10, TimeUnit.MINUTES));
    long before = Files.size(partial);

    long again = System.nanoTime();
    Process resumed = start(input, output);
    awaitBytes(resumed, partial, before + 1);
    print("continued behind %d %% after %.1f s", 100 * before / Files.size(whole), seconds(again));
    assertTrue(resumed.waitFor(10, TimeUnit.MINUTES));
    assertEquals(ExitCode.OK, resumed.exitValue());
    assertEquals(-1, Files.mismatch(whole, output));
  }

  private Path writeRows() throws IOException {
    Path input = folder.resolve("in.jsonl");
    try (BufferedWriter out = Files.newBufferedWriter(input)) {
      for (int i = 0; i < ROWS; i++) {
        out.write("{\"id\":\"row %d\",\"prompt\":\"text %d\",\"max_tokens\":4}%n".formatted(i, i));
      }
    }
    return input;
  }

  private static Process start(Path input, Path output, String... more) throws IOException {
    List<String> flags = new ArrayList<>(List.of(more));
    flags.add(SMALL_HEAP);
    return new ProcessBuilder(
            ChildJvm.command(flags, KilledJob.class, KilledJob.Kind.GENERATE, input, output, 0))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Returns when the file has so many bytes, or has got its final name. */
  private static void awaitBytes(Process process, Path file, long bytes) throws Exception {
    while (process.isAlive() && file.toFile().length() < bytes) {
      Thread.sleep(5);
    }
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  private static void print(String format, Object... values) {
    System.out.printf("ManyRowsTest: " + format + "%n", values);
  }
}
