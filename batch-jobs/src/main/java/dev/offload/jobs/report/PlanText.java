package dev.offload.jobs.report;

import dev.offload.jobs.report.PlanReport.LaneLoad;
import dev.offload.planner.Recommendation.Advice;
import dev.offload.planner.Recommendation.Alternative;
import dev.offload.planner.Recommendation.Item;
import dev.offload.planner.Recommendation.Memory;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.tensors.Tier;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A dry run on one screen: what lives where, how fast, what bounds it, what to change. */
public final class PlanText {
  private static final int MOST_ADVICE = 4;
  private static final int MOST_ALTERNATIVES = 4;
  private static final int MOST_ASSUMPTIONS = 6;

  /** Columns of text; longer lines go on in the next. */
  private static final int WIDTH = 100;

  private static final int INDENT = 14;

  private final PrintWriter out;

  private PlanText(PrintWriter out) {
    this.out = out;
  }

  /** Prints it. */
  public static void print(PlanReport report, PrintWriter out) {
    new PlanText(out).print(report);
  }

  private void print(PlanReport report) {
    out.printf("%s on %s%n", report.model(), report.found().hardware().title());
    line("model", facts(report));
    line("work", report.workload());
    out.println();
    speed(report);
    out.println();
    for (Tier tier : Tier.values()) {
      memory(PlanReport.name(tier), report.found().memory().get(tier));
    }
    list("would help", advice(report));
    list("lost", alternatives(report));
    list("beware", report.found().warnings());
    list("assumed", assumptions(report));
  }

  private static String facts(PlanReport report) {
    List<String> facts = new ArrayList<>();
    report.modelFacts().forEach((name, value) -> facts.add(name + " " + value));
    return String.join(", ", facts);
  }

  private void speed(PlanReport report) {
    Prediction prediction = report.prediction();
    String job =
        Double.isInfinite(prediction.jobSeconds())
            ? ""
            : "; the job takes " + Words.time(prediction.jobSeconds());
    line(
        "speed",
        "%s tokens/s generated (prefill %s, decode %s)%s"
            .formatted(
                Words.number(prediction.tokensPerSecond()),
                Words.number(prediction.prefillTokensPerSecond()),
                Words.number(prediction.decodeTokensPerSecond()),
                job));
    line("", report.flight());
    report.simulated().ifPresent(text -> line("", text));
    line("bounded by", report.bottleneck());
    List<String> lanes = new ArrayList<>();
    for (LaneLoad lane : report.lanes()) {
      lanes.add(lane.lane() + " " + Words.percent(lane.share()));
    }
    line("busy", String.join(", ", lanes));
  }

  private void memory(String tier, Memory memory) {
    if (memory == null || (memory.usedBytes() == 0 && memory.budgetBytes() == 0)) {
      return;
    }
    List<String> items = new ArrayList<>();
    memory.items().stream()
        .filter(item -> item.bytes() > 0)
        .sorted(Comparator.comparingLong(Item::bytes).reversed())
        .forEach(item -> items.add(item.name() + " " + Words.bytes(item.bytes())));
    line(
        tier,
        "%s of %s: %s"
            .formatted(
                Words.bytes(memory.usedBytes()),
                Words.bytes(memory.budgetBytes()),
                items.isEmpty() ? "nothing" : String.join(", ", items)));
  }

  private static List<String> advice(PlanReport report) {
    List<String> lines = new ArrayList<>();
    for (Advice advice : report.found().advice()) {
      if (lines.size() < MOST_ADVICE) {
        lines.add(advice.change() + ": " + report.gain(advice.tokensPerSecond()));
      }
    }
    return lines;
  }

  private static List<String> alternatives(PlanReport report) {
    List<String> lines = new ArrayList<>();
    for (Alternative plan : report.found().alternatives()) {
      if (lines.size() < MOST_ALTERNATIVES) {
        lines.add(
            "%s: %s; %s"
                .formatted(
                    plan.plan(),
                    plan.tokensPerSecond() > 0
                        ? Words.number(plan.tokensPerSecond()) + " tokens/s"
                        : "cannot run",
                    plan.reason()));
      }
    }
    return lines;
  }

  private static List<String> assumptions(PlanReport report) {
    List<String> lines = new ArrayList<>();
    List<Assumption> all = report.found().hardware().assumptions();
    for (Assumption assumption : all) {
      if (lines.size() < MOST_ASSUMPTIONS) {
        lines.add(
            "%s %s: %s".formatted(assumption.field(), assumption.value(), assumption.reason()));
      }
    }
    if (all.size() > lines.size()) {
      lines.add("and %d more; --json and --html have all".formatted(all.size() - lines.size()));
    }
    return lines;
  }

  private void list(String name, List<String> lines) {
    if (lines.isEmpty()) {
      return;
    }
    out.println();
    for (int i = 0; i < lines.size(); i++) {
      line(i == 0 ? name : "", lines.get(i));
    }
  }

  /** A name and a text, which is broken between words where it is too long. */
  private void line(String name, String text) {
    StringBuilder line = new StringBuilder(String.format("%-" + INDENT + "s", name));
    boolean empty = true;
    for (String word : text.split(" ", -1)) {
      if (!empty && line.length() + 1 + word.length() > WIDTH) {
        out.println(line);
        line.setLength(0);
        line.append(" ".repeat(INDENT));
        empty = true;
      }
      line.append(empty ? "" : " ").append(word);
      empty = false;
    }
    out.println(line.toString().stripTrailing());
  }
}
