package dev.offload.jobs.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Item;
import dev.offload.planner.Recommendation.Memory;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.tensors.Tier;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A dry run for programs. Bytes, seconds and tokens per second. */
public final class PlanJson {
  private PlanJson() {}

  /** One JSON object. */
  public static String of(PlanReport report) {
    try {
      return new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValueAsString(fields(report));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("numbers and texts cannot fail to be written", e);
    }
  }

  private static Map<String, Object> fields(PlanReport report) {
    Recommendation found = report.found();
    Prediction prediction = report.prediction();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("model", report.model());
    json.put("model_facts", report.modelFacts());
    json.put("hardware", found.hardware().name());
    json.put("hardware_title", found.hardware().title());
    json.put("workload", workload(report));
    json.put("tokens_per_s", prediction.tokensPerSecond());
    json.put("prefill_tokens_per_s", prediction.prefillTokensPerSecond());
    json.put("decode_tokens_per_s", prediction.decodeTokensPerSecond());
    json.put("program_tokens_per_s", prediction.programTokensPerSecond());
    json.put("job_seconds", finite(prediction.jobSeconds()));
    json.put("sequences_in_flight", found.plan().maxSequences());
    json.put("micro_batches", found.plan().kvGroups().size());
    json.put("micro_batch_tokens", found.plan().microBatchTokens());
    json.put("compute_dtype", found.plan().computeDType().name().toLowerCase(Locale.ROOT));
    json.put("pass_seconds", prediction.passSeconds());
    json.put("simulated_pass_seconds", report.pass().map(pass -> pass.nanos() / 1e9).orElse(null));
    json.put("pass_tokens", prediction.passTokens());
    json.put("bottleneck", prediction.bottleneck());
    json.put("lanes", lanes(report));
    json.put("shared", prediction.shared());
    json.put("memory", memory(found.memory()));
    json.put("placement", placement(report));
    json.put("host_experts", found.plan().hostExperts().size());
    json.put(
        "advice",
        found.advice().stream()
            .map(
                advice ->
                    Map.of("change", advice.change(), "tokens_per_s", advice.tokensPerSecond()))
            .toList());
    json.put(
        "alternatives",
        found.alternatives().stream()
            .map(
                plan ->
                    Map.of(
                        "plan", plan.plan(),
                        "tokens_per_s", plan.tokensPerSecond(),
                        "reason", plan.reason()))
            .toList());
    json.put(
        "curve",
        found.curve().stream()
            .map(
                point ->
                    Map.of(
                        "sequences", point.sequences(),
                        "tokens_per_s", point.tokensPerSecond(),
                        "bottleneck", point.bottleneck()))
            .toList());
    json.put(
        "operations",
        found.operations().stream()
            .map(
                operation ->
                    Map.of(
                        "name", operation.name(),
                        "flops", operation.flops(),
                        "bytes", operation.bytes(),
                        "seconds", operation.seconds()))
            .toList());
    json.put("warnings", found.warnings());
    json.put(
        "assumptions",
        found.hardware().assumptions().stream()
            .map(
                each ->
                    Map.of("field", each.field(), "value", each.value(), "reason", each.reason()))
            .toList());
    return json;
  }

  private static Map<String, Object> workload(PlanReport report) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prompt_tokens", report.found().workload().meanPromptTokens());
    json.put("generated_tokens", report.found().workload().meanGeneratedTokens());
    Optional<Long> requests = Optional.empty();
    if (report.found().workload().requests().isPresent()) {
      requests = Optional.of(report.found().workload().requests().getAsLong());
    }
    json.put("requests", requests.orElse(null));
    return json;
  }

  private static Map<String, Object> lanes(PlanReport report) {
    Map<String, Object> json = new LinkedHashMap<>();
    report
        .lanes()
        .forEach(
            lane -> json.put(lane.lane(), Map.of("seconds", lane.seconds(), "busy", lane.share())));
    return json;
  }

  private static Map<String, Object> memory(Map<Tier, Memory> memory) {
    Map<String, Object> json = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      Memory on = memory.getOrDefault(tier, new Memory(0, List.of()));
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("budget", on.budgetBytes());
      fields.put("used", on.usedBytes());
      Map<String, Long> items = new LinkedHashMap<>();
      for (Item item : on.items()) {
        items.merge(item.name(), item.bytes(), Long::sum);
      }
      fields.put("items", items);
      json.put(PlanReport.name(tier), fields);
    }
    return json;
  }

  private static Map<String, Object> placement(PlanReport report) {
    Map<String, Object> json = new LinkedHashMap<>();
    report
        .placement()
        .forEach(
            (what, tiers) -> {
              Map<String, Long> bytes = new LinkedHashMap<>();
              for (Tier tier : Tier.values()) {
                bytes.put(PlanReport.name(tier), tiers.getOrDefault(tier, 0L));
              }
              json.put(what, bytes);
            });
    List<Map<String, Object>> groups = new ArrayList<>();
    for (KvGroup group : report.found().plan().kvGroups()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("home", group.home().name().toLowerCase(Locale.ROOT));
      fields.put("blocks", group.blocks());
      fields.put("sequences", group.sequences());
      groups.add(fields);
    }
    json.put("kv_groups", groups);
    return json;
  }

  /** JSON has no infinity; null says that there is no end. */
  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
