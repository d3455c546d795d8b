package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.TaskSpan;
import dev.offload.planner.PassTimeline;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A measured run beside its forecast, as one page that loads nothing and runs nothing. */
public final class ComparisonPage {
  private ComparisonPage() {}

  /**
   * What is compared.
   *
   * @param what such as {@code tokens per second}
   * @param measured with its unit
   * @param predicted with its unit
   * @param error of the prediction
   */
  public record Line(String what, String measured, String predicted, String error) {}

  /**
   * Seconds that tasks of a pass took, by lane and what those of different layers, experts and
   * micro-batches have in common, such as {@code gpu · attention}.
   */
  public static Map<String, Double> kinds(PassTimeline pass) {
    Map<String, Double> seconds = new TreeMap<>();
    for (TaskSpan task : ReportMaker.timeline(pass).tasks()) {
      seconds.merge(
          task.lane() + " · " + TimelineSection.kind(task.task()),
          (task.endNanos() - task.beginNanos()) / 1e9,
          Double::sum);
    }
    return seconds;
  }

  /**
   * The page.
   *
   * @param title of the run
   * @param measured a pass of it
   * @param predicted the same pass as it was forecast
   */
  public static String html(
      String title, List<Line> lines, PassTimeline measured, PassTimeline predicted) {
    Html html = Page.begin("offload bench --compare · " + title);
    html.raw("<header>\n").element("p", "over", "offload bench --compare");
    html.element("h1", title).raw("\n</header>\n<section>\n<h2>Measured and forecast</h2>\n");
    html.raw("<table class=\"errors\">\n<thead><tr><th></th><th>measured</th><th>forecast</th>");
    html.raw("<th>error</th></tr></thead>\n<tbody>\n");
    for (Line line : lines) {
      html.raw("<tr>").element("td", line.what()).element("td", line.measured());
      html.element("td", line.predicted()).element("td", line.error()).raw("</tr>\n");
    }
    html.raw("</tbody>\n</table>\n</section>\n");
    TimelineSection.compare(html, ReportMaker.timeline(measured), ReportMaker.timeline(predicted));
    return Page.end(html);
  }
}
