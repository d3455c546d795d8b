package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.OverTime;
import dev.offload.jobs.report.JobReport.Work;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Throughput and sequences in flight over time. */
final class WorkSection {
  private static final int X_STEPS = 4;

  private WorkSection() {}

  static void add(Html html, JobReport report) {
    Work work = report.work();
    OverTime time = report.overTime();
    Intervals intervals = Intervals.of(time);
    List<Double> decode = intervals.coarse(time.decodeTokensPerSecond());
    List<Double> prefill = intervals.coarse(time.prefillTokensPerSecond());
    List<Double> both = new ArrayList<>();
    for (int i = 0; i < decode.size(); i++) {
      both.add(decode.get(i) + prefill.get(i));
    }
    List<Double> zero = Collections.nCopies(both.size(), 0.0);
    html.raw("<section>\n<h2>Throughput</h2>\n<p class=\"note\">Tokens per second of wall time.");
    html.raw(" <span class=\"key\"><i class=\"prefill\"></i>prefill: ");
    html.text(Words.count(work.promptTokens(), "prompt token"));
    if (work.sharedPromptTokens() > 0) {
      html.text(", and " + Words.count(work.sharedPromptTokens()) + " shared with other rows");
    }
    html.raw("</span>");
    html.raw(" <span class=\"key\"><i class=\"decode\"></i>");
    html.text(report.outputTokens().count() == 0 ? "labels: " : "decode: ");
    html.text(Words.count(work.generatedTokens(), "token")).raw("</span></p>\n");
    Axis x = Axis.ofSeconds(time.wallSeconds(), X_STEPS);
    Plot rates = new Plot(x, Axis.ofNumbers(Collections.max(both), 4));
    rates.area("decode", intervals.seconds(), zero, decode);
    rates.area("prefill", intervals.seconds(), decode, both);
    for (int i = 0; i < both.size(); i++) {
      intervals.hover(
          rates,
          i,
          "%s: prefill %s, decode %s tokens/s"
              .formatted(
                  intervals.at(i), Words.number(prefill.get(i)), Words.number(decode.get(i))));
    }
    rates.addTo(
        html,
        "tall",
        "Tokens per second over %s: %s on average, at most %s"
            .formatted(
                Words.time(time.wallSeconds()),
                Words.number(work.totalTokensPerSecond()),
                Words.number(Collections.max(both))));
    sequences(html, work, x, intervals, intervals.coarse(time.sequences()), zero);
    html.raw("</section>\n");
  }

  private static void sequences(
      Html html, Work work, Axis x, Intervals intervals, List<Double> running, List<Double> zero) {
    html.raw("<h3>Sequences in flight</h3>\n<p class=\"note\">");
    html.text(
        "%s on average, at most %s; there is room for %s."
            .formatted(
                Words.number(work.averageSequences()),
                Words.count(work.mostSequences()),
                Words.count(work.roomForSequences())));
    if (work.preemptions() > 0) {
      html.text(
          " %s one had to give its cache to an older one; %s were computed again, %s of cache were swapped."
              .formatted(
                  Words.count(work.preemptions(), "time"),
                  Words.count(work.recomputedTokens(), "token"),
                  Words.bytes(work.swappedBytes())));
    }
    html.raw("</p>\n");
    Plot plot = new Plot(x, Axis.ofCounts(Math.max(1, work.mostSequences()), 2));
    plot.area("sequences", intervals.seconds(), zero, running);
    for (int i = 0; i < running.size(); i++) {
      intervals.hover(
          plot, i, "%s: %s sequences".formatted(intervals.at(i), Words.number(running.get(i))));
    }
    plot.addTo(
        html,
        "low",
        "Sequences in flight over time: %s on average, at most %d"
            .formatted(Words.number(work.averageSequences()), work.mostSequences()));
  }
}
