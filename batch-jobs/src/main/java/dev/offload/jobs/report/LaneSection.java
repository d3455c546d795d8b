package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.LaneShare;
import dev.offload.jobs.report.JobReport.Work;
import java.util.Collections;
import java.util.List;

/** How busy each lane was, over all and over time. */
final class LaneSection {
  private LaneSection() {}

  /** What a lane does, for people. */
  static String words(String lane) {
    return switch (lane) {
      case "disk" -> "reads from disk";
      case "h2d" -> "copies to the device";
      case "d2h" -> "copies from the device";
      case "gpu" -> "computes on the device";
      case "cpu" -> "computes on the host";
      default -> "";
    };
  }

  static void add(Html html, JobReport report) {
    html.raw("<section>\n<h2>Lanes</h2>\n");
    html.raw(
        "<p class=\"note\">Busy share of each lane, on average and over time. Lanes work side");
    html.raw(" by side; the busiest sets the pace.</p>\n<div class=\"lanes\">\n");
    Intervals intervals = Intervals.of(report.overTime());
    for (LaneShare lane : report.lanes()) {
      lane(html, lane, intervals, report.overTime().busyShares().get(lane.lane()));
    }
    html.raw("</div>\n");
    idle(html, report.work());
    html.raw("</section>\n");
  }

  private static void lane(Html html, LaneShare lane, Intervals intervals, List<Double> recorded) {
    html.raw("<div class=\"lane\"><span class=\"name\"><i class=\"")
        .raw(lane.lane())
        .raw("\"></i><b>");
    html.raw(lane.lane()).raw("</b> ").text(words(lane.lane())).raw("</span>");
    html.element("span", "value", Words.percent(lane.busyShare()));
    List<Double> shares = intervals.coarse(recorded);
    Plot plot = new Plot(Axis.bare(intervals.wallSeconds()), Axis.bare(1));
    plot.area(lane.lane(), intervals.seconds(), Collections.nCopies(shares.size(), 0.0), shares);
    for (int i = 0; i < shares.size(); i++) {
      intervals.hover(
          plot, i, "%s: %s busy".formatted(intervals.at(i), Words.percent(shares.get(i))));
    }
    plot.addTo(
        html,
        "spark",
        "Lane %s over time: busy for %s of it"
            .formatted(lane.lane(), Words.percent(lane.busyShare())));
    html.raw("</div>\n");
  }

  /** What the engine's own thread did while lanes had nothing to do. */
  private static void idle(Html html, Work work) {
    double wall = Math.max(work.wallSeconds(), 1e-9);
    html.raw("<h3>Between passes, lanes stand still</h3>\n");
    Bars.begin(html)
        .line(
            "idle",
            "choosing tokens from logits",
            work.choosingSeconds() / wall,
            Words.percent(work.choosingSeconds() / wall))
        .line(
            "idle",
            "waiting for rows to be read",
            work.rowWaitSeconds() / wall,
            Words.percent(work.rowWaitSeconds() / wall))
        .end();
  }
}
