package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users see of refused usage and input: one message, exit code 2, nothing written. */
class CommandTest {
  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path input;
  private Path output;
  private Path model;

  @BeforeEach
  void makeFiles() throws IOException {
    input = folder.resolve("in.jsonl");
    output = folder.resolve("out.jsonl");
    model = Files.createDirectory(folder.resolve("model"));
    Files.writeString(input, "{\"prompt\":\"a\"}\n");
  }

  @Test
  void shouldRefuseMissingAndUnknownOptions() {
    refuses("Missing required options: '--model=DIR', '--input=FILE', '--output=FILE'", "generate");
    refuses("Unknown options: '--temprature', '1'", generate("--temprature", "1"));
    refuses("Possible solutions: --input", "generate", "--model", "m", "--inptu", "in.jsonl");
    refuses("Invalid value for option '--dtype'", generate("--dtype", "int4"));
    refuses("'lots' is not an amount of memory", generate("--device-memory", "lots"));
    refuses("--max-tokens is 0, must be at least 1", generate("--max-tokens", "0"));
    refuses("--kv-tokens is 0, must be at least 1", generate("--kv-tokens", "0"));
    refuses("--threads is 0, must be at least 1", generate("--threads", "0"));
    refuses("give one of them", generate("--resume", "--overwrite"));
  }

  @Test
  void shouldRefuseFilesThatCannotWork() throws IOException {
    Files.delete(input);
    refuses("--input " + input + " does not exist", generate());
    Files.writeString(input, "");
    refuses(
        "would be overwritten", "generate", "--model", "m", "--input", input, "--output", input);
    refuses("the folder", "generate", "--model", "m", "--input", input, "--output", "/no/such/f");
    refuses(" is a folder", "generate", "--model", "m", "--input", input, "--output", folder);
    refuses("are both", generate("--errors", output.toString()));
  }

  @Test
  void shouldRefuseAnOutputThatExistsAndLeaveItAlone() throws IOException {
    Files.writeString(output, "precious");
    refuses("--output " + output + " exists; name another file, or give --overwrite", generate());
    assertEquals("precious", Files.readString(output));
    Files.delete(output);
    Path errors = Files.writeString(folder.resolve("out.errors.jsonl"), "precious too");
    refuses("--errors " + errors + " exists", generate());
  }

  @Test
  void shouldRefuseReportsThatCannotBeWritten() throws IOException {
    refuses("must end in .html (a page) or .json (data)", generate("--report", "report.pdf"));
    Path page = Files.writeString(folder.resolve("report.html"), "precious");
    refuses("--report " + page + " exists", generate("--report", page.toString()));
    Path errors = folder.resolve("report.json");
    refuses(
        "is another file of the job",
        generate("--errors", errors.toString(), "--report", errors.toString()));
    refuses("is not a file in a folder", generate("--report", "/no/such/folder/report.html"));
    assertEquals("precious", Files.readString(page));
  }

  @Test
  void shouldRefuseTheTracesOfAnInterruptedJob() throws IOException {
    Files.write(folder.resolve("out.jsonl.journal"), new byte[5000]);
    refuses("is left from a job that was interrupted; --resume continues it", generate());
    refuses("it is no journal of a job; move it away", generate("--resume"));
  }

  @Test
  void shouldSayThatAFinishedJobIsFinished() throws IOException {
    Files.writeString(output, "done");
    assertEquals(ExitCode.OK, run(generate("--resume")));
    assertTrue(err.toString().contains("nothing to do"), err.toString());
    assertEquals("done", Files.readString(output));
  }

  @Test
  void shouldRefuseASecondJobOnTheSameOutput() throws IOException {
    Path lock = folder.resolve("out.jsonl.lock");
    try (FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      assertTrue(channel.tryLock().isValid());
      refuses("another process is working on --output " + output, generate());
    }
  }

  @Test
  void shouldRefuseABrokenModelAndLeaveNothingBehind() throws IOException {
    refuses("config.json", generate());
    Files.writeString(model.resolve("config.json"), "{\"model_type\":\"abacus\"}");
    refuses("abacus", generate());
    refuses("abacus", "bench", "--model", model);
    refuses("--warm-up is -1", "bench", "--model", model, "--warm-up", "-1");
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(2, left.count(), "files beside input and model");
    }
  }

  @Test
  void shouldInspectABrokenModel() throws IOException {
    Files.writeString(model.resolve("config.json"), "{\"model_type\":\"abacus\"}");
    assertEquals(ExitCode.REFUSED, run("inspect", model));
    assertTrue(out.toString().contains("configuration    refused: "), out.toString());
    assertTrue(out.toString().contains("tokenizer        refused: "), out.toString());
    refuses("does not exist", "inspect", folder.resolve("nothing"));
  }

  @Test
  void shouldInspectAModelThatItCannotRun() {
    Path shape = Path.of("..", "examples", "shapes", "deepseek-v3", "config.json");
    assertEquals(ExitCode.REFUSED, run("inspect", "--model", shape));
    for (String line :
        List.of(
            "parameters       671,026,419,200",
            "active           37,552,297,472 per token",
            "stored           673,1",
            ", packed as fp8",
            "KV cache         70,272 bytes per token",
            "128 heads of 128 + 64 rotated, all read one latent of 512",
            "configuration    refused: " + shape + ": quantization_config.quant_method is")) {
      assertTrue(out.toString().contains(line), out.toString());
    }
    refuses("quant_method is \"fp8\"", "bench", "--model", shape);
    Path dense = Path.of("..", "examples", "shapes", "opt-30b", "config.json");
    assertEquals(ExitCode.OK, run("inspect", dense));
    assertTrue(out.toString().contains("parameters       29,974,540,288"), out.toString());
    refuses("DIR|FILE", "inspect");
  }

  @Test
  void shouldWriteAShellCompletion() {
    assertEquals(ExitCode.OK, run("generate-completion"));
    assertTrue(out.toString().contains("_complete_offload"), out.toString());
  }

  private Object[] generate(String... more) {
    Stream<Object> required =
        Stream.of("generate", "--model", model, "--input", input, "--output", output);
    return Stream.concat(required, Stream.of(more)).toArray();
  }

  private void refuses(String message, Object... args) {
    err.getBuffer().setLength(0);
    assertEquals(ExitCode.REFUSED, run(args), err.toString());
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
  }

  private int run(Object... args) {
    String[] texts = Stream.of(args).map(Object::toString).toArray(String[]::new);
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), texts);
  }
}
