package dev.offload.jobs.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanOutputTest {

  @Test
  void shouldFitAScreen() {
    StringWriter text = new StringWriter();
    PlanText.print(SamplePlans.mixture("mixtral-8x7b"), new PrintWriter(text, true));
    List<String> lines = text.toString().lines().toList();
    assertTrue(lines.size() <= 30, () -> lines.size() + " lines:\n" + text);
    for (String line : lines) {
      assertTrue(line.length() <= 100, line);
    }
    assertEquals("mixtral-8x7b on NVIDIA T4 16 GB", lines.getFirst());
    for (String part :
        List.of(
            "61.5 tokens/s generated (prefill 1,480, decode 70.3)",
            "the job takes 1 h 26 min",
            "720 sequences in flight in 2 micro-batches",
            "lane h2d, which copies to the device",
            "h2d 100 %, gpu 50 %, cpu 10 %",
            "13.00 GiB of 15.00 GiB: experts 8.00 GiB, workspace 5.00 GiB",
            "1 GB/s more to the device: +5.3 tokens/s (8.5 %)",
            "float32: cannot run; weights exceed the host by 20 GiB",
            "the disk is not needed",
            "host.cores 32")) {
      assertTrue(text.toString().contains(part), () -> part + " in\n" + text);
    }
  }

  @Test
  void shouldHaveTheFieldsThatScriptsRelyOn() throws IOException {
    JsonNode json = new ObjectMapper().readTree(PlanJson.of(SamplePlans.mixture("mixtral-8x7b")));
    List<String> missing = new ArrayList<>();
    for (String field :
        List.of(
            "model",
            "hardware",
            "tokens_per_s",
            "prefill_tokens_per_s",
            "decode_tokens_per_s",
            "sequences_in_flight",
            "micro_batches",
            "bottleneck",
            "lanes",
            "memory",
            "placement",
            "advice",
            "alternatives",
            "warnings")) {
      if (!json.hasNonNull(field)) {
        missing.add(field);
      }
    }
    assertEquals(List.of(), missing);
    assertEquals(61.5, json.get("tokens_per_s").asDouble());
    assertEquals(720, json.get("sequences_in_flight").asInt());
    assertEquals(12.5, json.at("/lanes/h2d/seconds").asDouble());
    assertEquals(0.5, json.at("/lanes/gpu/busy").asDouble());
    for (String tier : List.of("device", "host", "disk")) {
      assertTrue(json.at("/memory/" + tier + "/budget").isIntegralNumber(), tier);
      assertTrue(json.at("/memory/" + tier + "/used").isIntegralNumber(), tier);
    }
    assertEquals(13L << 30, json.at("/memory/device/used").asLong());
    assertEquals(76L << 30, json.at("/placement/experts/host").asLong());
    assertEquals("host_attended", json.at("/placement/kv_groups/0/home").asText());
    assertEquals("1 GB/s more to the device", json.at("/advice/1/change").asText());
  }
}
