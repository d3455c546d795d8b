package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A trace tells of every pass and of everything that lanes did in it. */
class ChromeTraceTest {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final StringWriter err = new StringWriter();

  @Test
  void shouldTellOfAllPassesAndLanes() throws IOException {
    Path trace = folder.resolve("trace.json");
    Path output = folder.resolve("out.jsonl");
    int code =
        generate(
            output,
            "--trace=" + trace,
            "--no-prefix-sharing",
            "--device-memory=8MiB",
            "--host-memory=4MiB");
    assertEquals(ExitCode.OK, code, err.toString());

    Map<Integer, String> rows = new HashMap<>();
    Map<Integer, Double> ends = new HashMap<>();
    int promptTokens = 0;
    int tokens = 0;
    for (JsonNode event : JSON.readTree(trace.toFile()).get("traceEvents")) {
      int row = event.get("tid").asInt();
      if (event.get("name").asText().equals("thread_name")) {
        rows.put(row, event.at("/args/name").asText());
      } else if (event.get("ph").asText().equals("X")) {
        double begin = event.get("ts").asDouble();
        assertTrue(begin >= ends.getOrDefault(row, 0.0) - 0.001, () -> "overlaps: " + event);
        ends.put(row, begin + event.get("dur").asDouble());
        promptTokens += event.at("/args/prompt tokens").asInt();
        tokens += event.at("/args/tokens").asInt();
      }
    }

    int prompts = 0;
    int computed = 0;
    for (String line : Files.readAllLines(output)) {
      JsonNode usage = JSON.readTree(line).get("usage");
      prompts += usage.get("prompt_tokens").asInt();
      // The last token of an output is not computed with.
      computed += usage.get("prompt_tokens").asInt() + usage.get("completion_tokens").asInt() - 1;
    }
    assertEquals(prompts, promptTokens);
    assertEquals(computed, tokens);
    TreeSet<String> busy = new TreeSet<>();
    ends.keySet().forEach(row -> busy.add(rows.get(row)));
    assertTrue(
        busy.containsAll(
            List.of("passes", "disk: reads", "h2d: weights in", "gpu: device", "d2h: rows out")),
        busy::toString);
  }

  @Test
  void shouldNotReplaceFiles() throws IOException {
    Path trace = Files.writeString(folder.resolve("trace.json"), "mine");
    Path output = folder.resolve("out.jsonl");
    assertEquals(ExitCode.REFUSED, generate(output, "--trace=" + trace));
    assertTrue(err.toString().contains("trace.json exists; name another file"), err.toString());
    assertEquals("mine", Files.readString(trace));

    for (String option : List.of("--trace", "--save-routing")) {
      assertEquals(ExitCode.REFUSED, generate(output, "--overwrite", option + "=" + output));
      assertTrue(
          err.toString().contains(option + " " + output + " is another file of the job"),
          err.toString());
    }
  }

  private int generate(Path output, String... more) throws IOException {
    List<String> rows = Files.readAllLines(EXAMPLES.resolve("prompts.jsonl")).subList(0, 6);
    Path input = Files.write(folder.resolve("in.jsonl"), rows);
    String[] command = new String[5 + more.length];
    command[0] = "generate";
    command[1] = "--model=" + EXAMPLES.resolve("models/tiny-moe");
    command[2] = "--input=" + input;
    command[3] = "--output=" + output;
    command[4] = "--max-tokens=8";
    System.arraycopy(more, 0, command, 5, more.length);
    return Main.run(new PrintWriter(new StringWriter()), new PrintWriter(err, true), command);
  }
}
