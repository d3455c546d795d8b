package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.journal.OrderedOutput;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kills a process that works on a job, again and again. */
class KillTest {
  private static final int KILLS = 4;
  private static final int ROWS = 500;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"GENERATE, .jsonl", "LABEL, .jsonl", "LABEL, .csv"})
  void shouldLoseAndRepeatNothingWhenKilled(KilledJob.Kind kind, String ending) throws Exception {
    Path input = folder.resolve("in.jsonl");
    Files.writeString(input, String.join("\n", JobTest.rows(ROWS)));
    Path whole = folder.resolve("whole" + ending);
    KilledJob.run(kind, input, whole, 0);

    Path output = folder.resolve("out" + ending);
    Random random = new Random(8);
    for (int i = 0; i < KILLS; i++) {
      kill(kind, input, output, random.nextInt(50, 400));
      assertTrue(Files.notExists(output), "the job ended before it was killed");
    }
    JobOutcome outcome = KilledJob.run(kind, input, output, 0);

    assertTrue(outcome.resumedRows() > 0, outcome.toString());
    assertEquals(Files.readString(whole), Files.readString(output));
    assertEquals(
        Files.readString(JobFiles.errorsBeside(whole, ".jsonl")),
        Files.readString(JobFiles.errorsBeside(output, ".jsonl")));
  }

  /** Starts the job, and kills it some time after it has got further than before. */
  private static void kill(KilledJob.Kind kind, Path input, Path output, long millis)
      throws Exception {
    Path partial = OrderedOutput.partial(output);
    long before = bytes(partial);
    Process process = start(kind, input, output);
    try {
      while (process.isAlive() && bytes(partial) <= before) {
        Thread.sleep(5);
      }
      Thread.sleep(millis);
    } finally {
      process.destroyForcibly();
      assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    }
  }

  private static long bytes(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  private static Process start(KilledJob.Kind kind, Path input, Path output) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(
        List.of(KilledJob.class.getName(), kind.name(), input.toString(), output.toString(), "10"));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
