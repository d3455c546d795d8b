package dev.offload.planner.flexgen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Every instance that FlexGen's own program was run on. */
class FlexGenProgramTest {
  private static final double TOLERANCE = 1e-6;

  @Test
  void shouldAgreeWithFlexGensOwnProgram() throws IOException {
    JsonNode instances = read();
    assertEquals(240, instances.size());
    int solved = 0;
    for (int i = 0; i < instances.size(); i++) {
      JsonNode golden = instances.get(i);
      String where = "instance " + i;
      Optional<FlexGenSolution> found = FlexGenProgram.solve(instance(golden));
      boolean feasible = golden.get("status").asText().equals("optimal");
      assertEquals(feasible, found.isPresent(), where);
      if (feasible) {
        solved++;
        double seconds = golden.get("T_s").asDouble();
        assertEquals(seconds, found.get().seconds(), TOLERANCE * seconds, where);
        double rate = golden.get("throughput_tok_s").asDouble();
        assertEquals(rate, found.get().tokensPerSecond(), TOLERANCE * rate, where);
        requireShares(found.get().shares().weights(), where);
        requireShares(found.get().shares().cache(), where);
        requireShares(found.get().shares().hidden(), where);
      }
    }
    assertEquals(187, solved);
  }

  /**
   * Machines that do not exist, whose lanes differ by up to twelve orders of magnitude; the golden
   * times are those of a simplex method in fractions.
   */
  @Test
  void shouldAgreeWithExactArithmetic() throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    int feasible = 0;
    List<String> lines = lines("/flexgen/exact-lp.jsonl");
    for (String line : lines) {
      JsonNode golden = mapper.readTree(line);
      Optional<FlexGenSolution> found = FlexGenProgram.solve(instance(golden));
      assertEquals(golden.get("status").asText().equals("optimal"), found.isPresent(), line);
      if (found.isPresent()) {
        feasible++;
        double seconds = golden.get("T_s").asDouble();
        assertEquals(seconds, found.get().seconds(), TOLERANCE * seconds, line);
      }
    }
    assertEquals(21, lines.size());
    assertEquals(17, feasible);
  }

  private static List<String> lines(String resource) throws IOException {
    try (InputStream in = FlexGenProgramTest.class.getResourceAsStream(resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private static void requireShares(Shares.Tiers tiers, String where) {
    assertEquals(1, tiers.gpu() + tiers.cpu() + tiers.disk(), TOLERANCE, where);
    assertTrue(Math.min(tiers.gpu(), Math.min(tiers.cpu(), tiers.disk())) >= -TOLERANCE, where);
  }

  private static JsonNode read() throws IOException {
    try (InputStream in =
        FlexGenProgramTest.class.getResourceAsStream("/flexgen/flexgen-lp.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static FlexGenInstance instance(JsonNode golden) {
    JsonNode c = golden.get("config");
    JsonNode alpha = golden.get("alpha");
    return new FlexGenInstance(
        new FlexGenInstance.Config(
            c.get("s").asDouble(),
            c.get("n").asDouble(),
            c.get("l").asDouble(),
            c.get("h1").asDouble(),
            c.get("h2").asDouble(),
            c.get("nh").asDouble(),
            c.get("gmem").asDouble(),
            c.get("cmem").asDouble(),
            c.get("nmem").asDouble(),
            c.get("ctog_bdw").asDouble(),
            c.get("gtoc_bdw_cache").asDouble(),
            c.get("gtoc_bdw_hidden").asDouble(),
            c.get("dtoc_bdw").asDouble(),
            c.get("ctod_bdw_cache_p").asDouble(),
            c.get("ctod_bdw_hidden_p").asDouble(),
            c.get("ctod_bdw_g").asDouble(),
            c.get("mm_flops_p").asDouble(),
            c.get("mm_flops_g").asDouble(),
            c.get("bmm_flops_p").asDouble(),
            c.get("bmm_flops_g").asDouble(),
            c.get("cpu_flops").asDouble(),
            c.get("c1").asDouble(),
            c.get("c2").asDouble(),
            c.get("c3").asDouble()),
        new FlexGenInstance.Alpha(
            alpha.get(0).asDouble(), alpha.get(1).asDouble(), alpha.get(2).asDouble()),
        golden.get("gpu_batch_size").asInt(),
        golden.get("num_gpu_batches").asInt(),
        golden.get("compress_weight").asBoolean());
  }
}
