package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.Lengths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How long prompts and outputs were. */
final class LengthSection {
  private static final int MOST_BARS = 40;

  private LengthSection() {}

  static void add(Html html, JobReport report) {
    if (report.promptTokens().count() == 0) {
      return;
    }
    html.raw("<section class=\"pair\">\n");
    lengths(html, "Prompt length", "prompt", report.promptTokens());
    if (report.outputTokens().count() > 0) {
      lengths(html, "Output length", "decode", report.outputTokens());
    }
    html.raw("</section>\n");
  }

  private static void lengths(Html html, String heading, String type, Lengths lengths) {
    html.raw("<div>\n").element("h2", heading).raw("\n<p class=\"note\">");
    html.text(
        "Tokens. Half have at most %s, 90 %% at most %s, the longest %s."
            .formatted(
                Words.count(lengths.median()),
                Words.count(lengths.percentile90()),
                Words.count(lengths.longest())));
    html.raw("</p>\n");
    int merged = (lengths.counts().size() + MOST_BARS - 1) / MOST_BARS;
    int width = merged * lengths.bucketTokens();
    List<Long> counts = new ArrayList<>();
    for (int i = 0; i < lengths.counts().size(); i += merged) {
      List<Long> part = lengths.counts().subList(i, Math.min(i + merged, lengths.counts().size()));
      counts.add(part.stream().mapToLong(Long::longValue).sum());
    }
    Axis y = Axis.ofCounts(Collections.max(counts), 3);
    Plot plot =
        new Plot(new Axis(counts.size(), ticks(lengths.firstBucket(), width, counts.size())), y);
    for (int i = 0; i < counts.size(); i++) {
      if (counts.get(i) > 0) {
        int from = lengths.firstBucket() + i * width;
        String range =
            width == 1
                ? Words.count(from)
                : Words.count(from) + "–" + Words.count(from + width - 1L);
        plot.box(
            type,
            i + 0.06,
            i + 0.94,
            0,
            counts.get(i),
            "%s tokens: %s".formatted(range, Words.count(counts.get(i))));
      }
    }
    plot.addTo(
        html,
        "middle",
        "%s of %s: half have at most %d tokens, the longest %d"
            .formatted(heading, Words.count(lengths.count()), lengths.median(), lengths.longest()));
    html.raw("</div>\n");
  }

  /** Where some of the bars begin; a few bars are named in their middle. */
  private static List<Axis.Tick> ticks(int first, int width, int bars) {
    List<Axis.Tick> ticks = new ArrayList<>();
    int step = Math.max(1, (bars + 4) / 5);
    double within = width == 1 ? 0.5 : 0;
    for (int i = 0; i < bars; i += step) {
      ticks.add(new Axis.Tick((i + within) / bars, Words.count(first + (long) i * width)));
    }
    return ticks;
  }
}
