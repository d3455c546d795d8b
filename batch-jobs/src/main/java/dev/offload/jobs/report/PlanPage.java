package dev.offload.jobs.report;

import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Advice;
import dev.offload.planner.Recommendation.Alternative;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.Processor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A dry run as one page that loads nothing and runs nothing. The same plan gives the same page. */
public final class PlanPage {
  private PlanPage() {}

  /** The page. */
  public static String html(PlanReport report) {
    Recommendation found = report.found();
    Html html = Page.begin("offload plan · " + report.model());
    header(html, report);
    tiles(html, report);
    warnings(html, found.warnings());
    TierSection.add(html, found.memory());
    lanes(html, report);
    report
        .pass()
        .ifPresent(
            pass ->
                TimelineSection.add(
                    html,
                    "One pass, simulated",
                    "A pass of the steady state as the schedule is played, in which lanes wait for"
                        + " each other where the linear program has them overlap",
                    pass));
    CurveSection.add(html, found.curve(), found.plan().maxSequences());
    Processor device = found.hardware().device();
    double peak =
        device.peakFlops().getOrDefault(found.plan().computeDType(), device.attentionFlops());
    RooflineSection.add(html, found.operations(), peak, device.memoryBytesPerSecond());
    advice(html, report);
    alternatives(html, found.alternatives());
    facts(html, report);
    return Page.end(html);
  }

  private static void header(Html html, PlanReport report) {
    html.raw("<header>\n").element("p", "over", "offload plan · a dry run: nothing was computed");
    html.element("h1", report.model() + " on " + report.found().hardware().name()).raw("\n");
    html.raw("<p class=\"lead\">");
    html.element(
        "strong",
        "%s generated tokens per second, bounded by %s."
            .formatted(Words.number(report.prediction().tokensPerSecond()), report.bottleneck()));
    html.raw(" ").text(sentence(report.flight())).raw("</p>\n</header>\n");
  }

  private static String sentence(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) + ".";
  }

  private static void tiles(Html html, PlanReport report) {
    Prediction prediction = report.prediction();
    html.raw("<section class=\"tiles\" aria-label=\"Summary\">\n");
    Page.tile(
        html,
        "Tokens per second",
        Words.number(prediction.tokensPerSecond()),
        "prefill %s · decode %s"
            .formatted(
                Words.number(prediction.prefillTokensPerSecond()),
                Words.number(prediction.decodeTokensPerSecond())));
    Page.tile(
        html,
        "Sequences in flight",
        Words.count(report.found().plan().maxSequences()),
        "in micro-batches: " + Words.count(report.found().plan().kvGroups().size()));
    Page.tile(
        html,
        "A pass",
        Words.time(prediction.passSeconds()),
        Words.number(prediction.passTokens()) + " tokens");
    Page.tile(
        html,
        "The job",
        Double.isInfinite(prediction.jobSeconds()) ? "–" : Words.time(prediction.jobSeconds()),
        report.workload());
    Page.tile(
        html,
        "Bounded by",
        prediction.bottleneck(),
        "linear program: %s tokens/s".formatted(Words.number(prediction.programTokensPerSecond())));
    html.raw("</section>\n");
  }

  private static void warnings(Html html, List<String> warnings) {
    if (warnings.isEmpty()) {
      return;
    }
    html.raw("<section>\n<h2>Before you buy or run</h2>\n<ul class=\"warnings\">\n");
    warnings.forEach(warning -> html.element("li", warning).raw("\n"));
    html.raw("</ul>\n</section>\n");
  }

  private static void lanes(Html html, PlanReport report) {
    html.raw("<section>\n<h2>Lanes</h2>\n<p class=\"note\">");
    html.text("Busy share of each lane during a pass. They work side by side; the busiest sets");
    html.text(" the pace.").raw("</p>\n");
    Bars bars = Bars.begin(html);
    report
        .lanes()
        .forEach(
            lane ->
                bars.line(
                    lane.lane(),
                    lane.lane() + " " + LaneSection.words(lane.lane()),
                    lane.share(),
                    "%s, %s".formatted(Words.percent(lane.share()), Words.time(lane.seconds()))));
    report
        .prediction()
        .shared()
        .forEach(
            (what, seconds) ->
                bars.line(
                    "idle",
                    what + ", shared by the lanes",
                    seconds / report.prediction().passSeconds(),
                    Words.percent(seconds / report.prediction().passSeconds())));
    bars.end();
    html.raw("</section>\n");
  }

  private static void advice(Html html, PlanReport report) {
    List<Advice> advice = report.found().advice();
    if (advice.isEmpty()) {
      return;
    }
    html.raw("<section>\n<h2>What would help</h2>\n<p class=\"note\">");
    html.text("What one more of each would give, with everything else as it is.").raw("</p>\n");
    double most = advice.stream().mapToDouble(Advice::tokensPerSecond).max().orElse(0);
    Bars bars = Bars.begin(html);
    advice.forEach(
        each ->
            bars.line(
                "decode",
                each.change(),
                most == 0 ? 0 : each.tokensPerSecond() / most,
                report.gain(each.tokensPerSecond())));
    bars.end();
    html.raw("</section>\n");
  }

  private static void alternatives(Html html, List<Alternative> alternatives) {
    if (alternatives.isEmpty()) {
      return;
    }
    html.raw("<section>\n<h2>Plans that lost</h2>\n<div class=\"wide\"><table class=\"facts\">\n");
    html.raw("<thead><tr><th>plan</th><th>tokens/s</th><th>why</th></tr></thead>\n<tbody>\n");
    for (Alternative plan : alternatives) {
      html.raw("<tr>").element("td", plan.plan());
      html.element(
          "td", plan.tokensPerSecond() > 0 ? Words.number(plan.tokensPerSecond()) : "cannot run");
      html.element("td", plan.reason()).raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n</section>\n");
  }

  private static void facts(Html html, PlanReport report) {
    Recommendation found = report.found();
    html.raw("<section class=\"pair\">\n<div>\n<h2>Model</h2>\n");
    Page.list(html, report.modelFacts());
    html.raw("</div>\n<div>\n<h2>Machine and plan</h2>\n");
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("machine", found.hardware().title());
    facts.put("matrices in", found.plan().computeDType().name().toLowerCase(Locale.ROOT));
    facts.put("a micro-batch", "at most " + Words.count(found.plan().microBatchTokens(), "token"));
    facts.put("weight ring", Words.bytes(found.plan().ringBytes()));
    facts.put("staging", Words.bytes(found.plan().stagingBytes()));
    Page.list(html, facts);
    html.raw("</div>\n</section>\n");
    assumptions(html, found.hardware().assumptions());
  }

  private static void assumptions(Html html, List<Assumption> assumptions) {
    if (assumptions.isEmpty()) {
      return;
    }
    html.raw("<section>\n<h2>Assumed</h2>\n<p class=\"note\">");
    html.text("Figures of the machine that nobody measured or stated.").raw("</p>\n");
    html.raw("<div class=\"wide\"><table class=\"facts\">\n");
    html.raw("<thead><tr><th>figure</th><th>taken</th><th>because</th></tr></thead>\n<tbody>\n");
    for (Assumption each : assumptions) {
      html.raw("<tr>").element("td", each.field()).element("td", each.value());
      html.element("td", each.reason()).raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n</section>\n");
  }
}
