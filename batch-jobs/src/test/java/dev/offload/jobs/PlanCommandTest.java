package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code offload plan --cost-model flexgen} on what FlexGen's own program gave. */
class PlanCommandTest {
  private static final Path GOLDEN =
      Path.of("..", "planner", "src", "test", "resources", "flexgen", "flexgen-lp.json");
  private static final List<String> ASKED =
      List.of("config", "alpha", "gpu_batch_size", "num_gpu_batches", "compress_weight");
  private static final double TOLERANCE = 1e-6;

  @TempDir private Path folder;
  private final ObjectMapper mapper = new ObjectMapper();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void shouldSolveEveryInstanceInOrder() throws IOException {
    JsonNode golden = mapper.readTree(GOLDEN.toFile());
    assertEquals(ExitCode.OK, solve(write(golden)), err::toString);
    List<String> lines = out.toString().lines().toList();
    assertEquals(240, golden.size());
    assertEquals(240, lines.size());
    for (int i = 0; i < 240; i++) {
      compare(golden.get(i), mapper.readTree(lines.get(i)), "line " + (i + 1));
    }
  }

  private static void compare(JsonNode golden, JsonNode answer, String where) {
    assertEquals(List.of("status", "T_s", "throughput_tok_s", "shares"), names(answer), where);
    assertEquals(golden.get("status").asText(), answer.get("status").asText(), where);
    if (golden.get("status").asText().equals("infeasible")) {
      assertTrue(answer.get("T_s").isNull() && answer.get("throughput_tok_s").isNull(), where);
      assertTrue(answer.get("shares").isNull(), where);
      return;
    }
    for (String name : List.of("T_s", "throughput_tok_s")) {
      double right = golden.get(name).asDouble();
      assertEquals(right, answer.get(name).asDouble(), TOLERANCE * right, where);
    }
    for (JsonNode tiers : answer.get("shares")) {
      double sum =
          tiers.get("gpu").asDouble() + tiers.get("cpu").asDouble() + tiers.get("disk").asDouble();
      assertEquals(1, sum, TOLERANCE, where);
    }
  }

  @Test
  void shouldHaveAnsweredWhatStandsBeforeABrokenLine() throws IOException {
    ObjectNode instance = asked(mapper.readTree(GOLDEN.toFile()).get(0));
    Path file = folder.resolve("many.jsonl");
    Files.writeString(file, (instance + "\n").repeat(300) + "{\"config\"");
    assertEquals(ExitCode.REFUSED, solve(file));
    assertEquals(300, out.toString().lines().count());
    assertTrue(err.toString().contains(file + ", line 301: broken JSON"), err::toString);
  }

  @Test
  void shouldRefuseInstancesThatCannotBe() throws IOException {
    refuses("line 2: broken JSON", "{\"config\": {", "");
    refuses("line 2: the row is an array", "[1]", "");
    refuses("line 2: the row is 7", "7", "");
    edited("line 2: config is missing; add it", row -> row.remove("config"));
    edited("config is an array, must be an object", row -> row.putArray("config"));
    edited("config.h1 is missing; add it", row -> config(row).remove("h1"));
    edited("config.h1 is missing; add it", row -> config(row).putNull("h1"));
    edited("config.s is 0, must be a number from 1 to", row -> config(row).put("s", 0));
    edited("config.gmem is -1, must be a number from 0", row -> config(row).put("gmem", -1));
    edited(
        "config.dtoc_bdw is 9, must be a number from 1000000 to 1.0E14",
        row -> config(row).put("dtoc_bdw", 9));
    edited("config.ctog_bdw is the text \"fast\"", row -> config(row).put("ctog_bdw", "fast"));
    edited("config.mm_flops_p is 1.0E300, must", row -> config(row).put("mm_flops_p", 1e300));
    edited("config.c1 is true, must be a number", row -> config(row).put("c1", true));
    edited("alpha is an array of 2, must be an array of 3", row -> row.set("alpha", numbers(1, 1)));
    edited("alpha[1] is -0.5, must be", row -> row.set("alpha", numbers(1, -0.5, 1)));
    edited("alpha is 0.8, must be an array of 3", row -> row.put("alpha", 0.8));
    edited("gpu_batch_size is 0, must be a number", row -> row.put("gpu_batch_size", 0));
    edited("gpu_batch_size is 1.5, must be a whole", row -> row.put("gpu_batch_size", 1.5));
    edited("num_gpu_batches is 99999999999", row -> row.put("num_gpu_batches", 99999999999L));
    edited("compress_weight is 1, must be true or false", row -> row.put("compress_weight", 1));
  }

  @Test
  void shouldRefuseWrongUsage() throws IOException {
    Path file = Files.writeString(folder.resolve("empty.jsonl"), "");
    assertEquals(ExitCode.OK, solve(file));
    assertEquals("", out.toString());
    usage("give --cost-model flexgen", "plan", "--instances", file.toString());
    usage("--cost-model", "plan", "--cost-model", "guess", "--instances", file.toString());
    usage("--instances", "plan", "--cost-model", "flexgen");
    usage("does not exist", "plan", "--cost-model", "flexgen", "--instances", "/no/such/file");
    usage("as a file", "plan", "--cost-model", "flexgen", "--instances", folder.toString());
  }

  private void edited(String message, Consumer<ObjectNode> edit) throws IOException {
    ObjectNode row = asked(mapper.readTree(GOLDEN.toFile()).get(0));
    edit.accept(row);
    refuses(message, row.toString());
  }

  /** The second line is refused; the first was answered. */
  private void refuses(String message, String... lines) throws IOException {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    ObjectNode good = asked(mapper.readTree(GOLDEN.toFile()).get(0));
    Path file = folder.resolve("refused.jsonl");
    Files.writeString(file, good + "\n" + String.join("\n", lines));
    assertEquals(ExitCode.REFUSED, solve(file), message);
    assertTrue(err.toString().contains("--instances " + file + ", line 2: "), err::toString);
    assertTrue(err.toString().contains(message), err::toString);
    assertFalse(err.toString().contains("\tat "), err::toString);
    assertEquals(1, out.toString().lines().count());
  }

  private void usage(String message, String... args) {
    err.getBuffer().setLength(0);
    assertEquals(ExitCode.REFUSED, run(args), err::toString);
    assertTrue(err.toString().contains(message), err::toString);
  }

  private static ObjectNode config(ObjectNode row) {
    return (ObjectNode) row.get("config");
  }

  private ArrayNode numbers(double... values) {
    ArrayNode array = mapper.createArrayNode();
    for (double value : values) {
      array.add(value);
    }
    return array;
  }

  private static ObjectNode asked(JsonNode golden) {
    return ((ObjectNode) golden).deepCopy().retain(ASKED);
  }

  private static List<String> names(JsonNode object) {
    return Stream.of(object)
        .flatMap(each -> each.properties().stream())
        .map(e -> e.getKey())
        .toList();
  }

  private Path write(JsonNode golden) throws IOException {
    Path file = folder.resolve("instances.jsonl");
    try (Writer writer = Files.newBufferedWriter(file)) {
      for (JsonNode each : golden) {
        writer.write(asked(each) + "\n");
      }
    }
    return file;
  }

  private int solve(Path file) {
    return run("plan", "--cost-model", "flexgen", "--instances", file.toString());
  }

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }
}
