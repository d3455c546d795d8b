package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.jobs.journal.OrderedOutput;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stops the command with signals, and tries what people do next. */
class StopTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");
  private static final int ROWS = 1500;

  @TempDir private Path folder;
  private Path input;
  private Path output;

  @BeforeEach
  void writeRows() throws IOException {
    input = folder.resolve("in.jsonl");
    output = folder.resolve("out.jsonl");
    List<String> rows = IntStream.range(0, ROWS).mapToObj(StopTest::row).toList();
    Files.writeString(input, String.join("\n", rows));
  }

  private static String row(int number) {
    return "{\"prompt\":\"The %d kernel\",\"max_tokens\":%d,\"ignore_eos\":true}"
        .formatted(number, 2 + number % 5);
  }

  @Test
  void shouldFinishThePassSaveAndSayHowToGoOn() throws Exception {
    Stopped stopped = stop(process -> process.toHandle().destroy());
    String said = stopped.said;
    assertEquals(ExitCode.STOPPED, stopped.code, said);
    assertTrue(said.contains("stopping after this pass"), said);
    assertTrue(said.contains("stopped; the same command with --resume goes on"), said);
    assertFalse(said.contains("\tat "), said);

    refuses("it was begun with --max-tokens = 256, now --max-tokens = 9", "--max-tokens=9");
    refuses("it was begun with --dtype = float32, now --dtype = bfloat16", "--dtype=bfloat16");
    byte[] rows = Files.readAllBytes(input);
    rows[rows.length / 2] ^= 1;
    Files.write(input, rows);
    refuses("it was begun with checksum of the input = ");
    rows[rows.length / 2] ^= 1;
    Files.write(input, rows);

    StringWriter err = new StringWriter();
    assertEquals(ExitCode.OK, run(err, arguments(output, "--resume")), err::toString);
    assertTrue(err.toString().contains(" rows were finished before"), err.toString());
    Path whole = folder.resolve("whole.jsonl");
    assertEquals(ExitCode.OK, run(new StringWriter(), arguments(whole)));
    assertEquals(Files.readString(whole), Files.readString(output));
  }

  @Test
  void shouldRefuseASecondProcessAndEndAtOnceAtASecondSignal() throws Exception {
    StringWriter err = new StringWriter();
    AtomicInteger second = new AtomicInteger();
    Stopped stopped =
        stop(
            process -> {
              second.set(run(err, arguments(output, "--resume")));
              process.toHandle().destroy();
              process.toHandle().destroy();
            });
    assertEquals(ExitCode.REFUSED, second.get(), err::toString);
    assertTrue(
        err.toString().contains("another process is working on --output " + output), err::toString);
    assertTrue(List.of(ExitCode.STOPPED, 128 + 15).contains(stopped.code), stopped.said);
    assertEquals(ExitCode.OK, run(new StringWriter(), arguments(output, "--resume")));
    assertEquals(ROWS, Files.readAllLines(output).size());
  }

  private Process start() throws IOException {
    return new ProcessBuilder(ChildJvm.command(Main.class, (Object[]) arguments(output)))
        .redirectErrorStream(true)
        .start();
  }

  /** What became of a process that was stopped before it had finished the job. */
  private record Stopped(int code, String said) {}

  /** Begins the job anew where it has ended before it was stopped. */
  private Stopped stop(Consumer<Process> stopping) throws Exception {
    for (int i = 0; i < 20; i++) {
      Process process = start();
      awaitRows(process);
      stopping.accept(process);
      String said = said(process);
      if (!Files.exists(output)) {
        return new Stopped(process.exitValue(), said);
      }
      Files.delete(output);
    }
    throw new AssertionError("the job was never stopped before its end");
  }

  private void awaitRows(Process process) throws Exception {
    Path partial = OrderedOutput.partial(output);
    while (partial.toFile().length() == 0 && !Files.exists(output)) {
      assertTrue(process.isAlive() || Files.exists(output), () -> said(process));
      Thread.sleep(5);
    }
  }

  private static String said(Process process) {
    try (var out = process.inputReader()) {
      String text = String.join("\n", out.lines().toList());
      assertTrue(process.waitFor(10, TimeUnit.MINUTES), text);
      return text;
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void refuses(String message, String... more) {
    List<String> options = new ArrayList<>(List.of(more));
    options.add("--resume");
    StringWriter err = new StringWriter();
    assertEquals(ExitCode.REFUSED, run(err, arguments(output, options.toArray(String[]::new))));
    assertTrue(err.toString().contains(message), err.toString());
  }

  private String[] arguments(Path output, String... more) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("generate", "--model=" + MODEL, "--input=" + input));
    arguments.addAll(List.of("--output=" + output));
    arguments.addAll(List.of(more));
    if (arguments.stream().noneMatch(each -> each.startsWith("--dtype"))) {
      arguments.add("--dtype=float32");
    }
    return arguments.toArray(String[]::new);
  }

  private static int run(StringWriter err, String... arguments) {
    return Main.run(new PrintWriter(new StringWriter()), new PrintWriter(err, true), arguments);
  }
}
