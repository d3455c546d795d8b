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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code offload plan} on what FlexGen's own program gave and what others measured. */
class PlanCommandTest {
  private static final Path GOLDEN =
      Path.of("..", "planner", "src", "test", "resources", "flexgen", "flexgen-lp.json");
  private static final Path PUBLISHED = Path.of("..", "examples", "published.json");
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

  @Test
  void shouldSetPredictionsBesidePublishedFigures() throws IOException {
    assertEquals(ExitCode.OK, run("plan", "--published", PUBLISHED.toString()), err::toString);
    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.getFirst().startsWith("system "), out::toString);
    assertTrue(lines.get(1).contains("25.26      24.56   0.97      60.85   2.41"), out::toString);
    assertTrue(lines.get(1).contains("  matrix products 91 %; ours: "), out::toString);
    assertTrue(out.toString().contains("MoE-Gen, deepseek-r1: the policy"), out::toString);

    out.getBuffer().setLength(0);
    assertEquals(ExitCode.OK, run("plan", "--json", "--published", PUBLISHED.toString()));
    JsonNode points = mapper.readTree(out.toString()).get("points");
    assertEquals(18, points.size());
    JsonNode first = points.get(0);
    assertEquals(25.26, first.get("published_tokens_per_s").asDouble());
    JsonNode peer = first.get("peer");
    assertEquals(
        peer.get("tokens_per_s").asDouble() / 25.26, peer.get("ratio").asDouble(), TOLERANCE);
    assertEquals("matrix products 91 %", peer.get("bound_by").asText());
    assertTrue(first.get("ours").get("tokens_per_s").asDouble() > 25.26, first::toString);
    assertTrue(first.get("peer_cost_model").get("bound_by").isNull());
    assertTrue(points.get(17).get("peer").isNull());
    assertTrue(points.get(17).get("peer_reason").asText().contains("MoE-Gen"));
  }

  @Test
  void shouldSayWhyAPointIsNotPredicted() throws IOException {
    unpredicted("policy.sequences is 80, in FlexGen's suite 72", 1, point -> policy(point, 80));
    unpredicted("has no policy for this load", 0, point -> point.put("prompt_tokens", 100));
    unpredicted("the shape of opt-13b", 0, point -> point.put("model", "opt-13b"));
    unpredicted(
        "on a T4, not on L4", 0, point -> ((ObjectNode) point.get("hardware")).put("gpu", "L4"));
  }

  @Test
  void shouldRefusePublishedFiguresThatCannotBe() throws IOException {
    refusesPublished("broken JSON", "{");
    refusesPublished("points is missing; add it", "{}");
    refusesPublished("points is 7, must be an array", "{\"points\":7}");
    refusesPublished("points[0] is null, must be an object", "{\"points\":[null]}");
    refusesPublished("points[0].system is missing", "{\"points\":[{}]}");
    refusesPublished("not valid UTF-8", "\u00ff");
    String point = first().toString();
    for (String[] edit :
        new String[][] {
          {"\"prompt_tokens\":512", "\"prompt_tokens\":0", "points[0].prompt_tokens is 0, must"},
          {"25.26", "\"fast\"", "points[0].generated_tokens_per_s is the text \"fast\", must"},
          {"25.26", "-1", "points[0].generated_tokens_per_s is -1, must"},
          {"opt-6.7b", "opt\\n6.7b", "points[0].model must be a text of 1 to 200"},
          {"\"micro_batch\":2", "\"micro_batch\":[]", "points[0].policy.micro_batch is an array"},
        }) {
      String edited = point.replace(edit[0], edit[1]);
      assertFalse(edited.equals(point), edit[0]);
      refusesPublished(edit[2], "{\"points\":[" + edited + "]}");
    }
    usage("does not exist", "plan", "--published", "/no/such/file");
    usage("leave it out", "plan", "--published", "f", "--cost-model", "flexgen");
    usage("mutually exclusive", "plan", "--published", "f", "--instances", "f");
  }

  private void refusesPublished(String message, String text) throws IOException {
    Path file = folder.resolve("published.json");
    Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
    usage(message, "plan", "--published", file.toString());
    assertTrue(err.toString().contains("--published " + file), err::toString);
  }

  private void unpredicted(String reason, int index, Consumer<ObjectNode> edit) throws IOException {
    ObjectNode point = (ObjectNode) mapper.readTree(PUBLISHED.toFile()).get("points").get(index);
    edit.accept(point);
    Path file = folder.resolve("published.json");
    Files.writeString(file, "{\"points\":[" + point + "]}");
    out.getBuffer().setLength(0);
    assertEquals(ExitCode.OK, run("plan", "--published", file.toString()), err::toString);
    assertTrue(out.toString().contains(reason), out::toString);
  }

  private static void policy(ObjectNode point, int sequences) {
    ((ObjectNode) point.get("policy")).put("sequences", sequences);
  }

  private JsonNode first() throws IOException {
    return mapper.readTree(PUBLISHED.toFile()).get("points").get(0);
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
