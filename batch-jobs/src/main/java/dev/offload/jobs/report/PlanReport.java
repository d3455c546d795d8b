package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.Timeline;
import dev.offload.planner.Lane;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.Workload;
import dev.offload.tensors.Tier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * All that a dry run tells: what lives where, how fast it would be, what bounds it and what to
 * change. Text, JSON and the page are made from it and from nothing else.
 *
 * @param model name of the model
 * @param modelFacts about the model, name to value, in the order to show them
 * @param found the plan and what led to it
 * @param placement bytes of each class of weights, and of the KV cache, on each tier
 * @param pass a simulated pass, task by task
 */
public record PlanReport(
    String model,
    Map<String, String> modelFacts,
    Recommendation found,
    Map<String, Map<Tier, Long>> placement,
    Optional<Timeline> pass) {
  public PlanReport {
    modelFacts = Collections.unmodifiableMap(new LinkedHashMap<>(modelFacts));
    placement = Collections.unmodifiableMap(new LinkedHashMap<>(placement));
  }

  Prediction prediction() {
    return found.prediction();
  }

  /** A lane and how busy it is during a pass, 0 to 1. */
  record LaneLoad(String lane, double seconds, double share) {}

  /** The lanes that work at all, the busiest first. */
  List<LaneLoad> lanes() {
    List<LaneLoad> lanes = new ArrayList<>();
    prediction()
        .laneSeconds()
        .forEach(
            (lane, seconds) -> {
              if (seconds > 0) {
                lanes.add(
                    new LaneLoad(
                        name(lane), seconds, Math.min(1, seconds / prediction().passSeconds())));
              }
            });
    lanes.sort(
        Comparator.comparingDouble(LaneLoad::seconds).reversed().thenComparing(LaneLoad::lane));
    return lanes;
  }

  static String name(Lane lane) {
    return lane.name().toLowerCase(Locale.ROOT);
  }

  static String name(Tier tier) {
    return tier.name().toLowerCase(Locale.ROOT);
  }

  /** What the pass waits for most, for people. */
  String bottleneck() {
    String bottleneck = prediction().bottleneck();
    String words = LaneSection.words(bottleneck);
    return words.isEmpty() ? bottleneck : "lane " + bottleneck + ", which " + words;
  }

  /** The work, in a few words. */
  String workload() {
    Workload workload = found.workload();
    String lengths =
        workload.lengths().size() == 1
            ? "%s + %s tokens"
                .formatted(
                    Words.count(workload.lengths().getFirst().promptTokens()),
                    Words.count(workload.lengths().getFirst().generatedTokens()))
            : "%s + %s tokens on average, %s at most"
                .formatted(
                    Words.number(workload.meanPromptTokens()),
                    Words.number(workload.meanGeneratedTokens()),
                    Words.count(workload.longest()));
    return workload.requests().isEmpty()
        ? "requests without end, " + lengths
        : "%s of %s".formatted(Words.count(workload.requests().getAsLong(), "request"), lengths);
  }

  /** How many sequences run at a time, in which portions. */
  String flight() {
    int groups = found.plan().kvGroups().size();
    return "%s in flight in %s; a pass of %s tokens takes %s"
        .formatted(
            Words.count(found.plan().maxSequences(), "sequence"),
            groups == 1 ? "1 micro-batch" : Words.count(groups) + " micro-batches",
            Words.number(prediction().passTokens()),
            Words.time(prediction().passSeconds()));
  }

  /** What the simulated pass would give, beside what the program says; empty if none was played. */
  Optional<String> simulated() {
    return pass.map(
        played -> {
          double seconds = played.nanos() / 1e9;
          double share = prediction().passSeconds() / seconds;
          return "played task by task a pass takes %s, which is %s of this speed"
              .formatted(Words.time(seconds), Words.percent(share));
        });
  }

  /** More tokens per second, with a sign and what share of the prediction that is. */
  String gain(double tokensPerSecond) {
    double share = tokensPerSecond / Math.max(prediction().tokensPerSecond(), 1e-12);
    return "+%s tokens/s (%s)".formatted(Words.number(tokensPerSecond), Words.percent(share));
  }
}
