package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.Machine;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Rows;
import dev.offload.jobs.report.JobReport.Work;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A report as one page that loads nothing and runs nothing: HTML, style and drawings in one file.
 * The same report gives the same page.
 */
public final class ReportPage {
  private ReportPage() {}

  /** The page. */
  public static String html(JobReport report) {
    Html html = Page.begin(title(report));
    header(html, report);
    tiles(html, report);
    report.labels().ifPresent(labels -> LabelSection.add(html, labels));
    if (report.work().passes() > 0) {
      WorkSection.add(html, report);
      LaneSection.add(html, report);
      report.timeline().ifPresent(pass -> TimelineSection.add(html, pass));
    }
    LengthSection.add(html, report);
    ErrorSection.add(html, report);
    MemorySection.add(html, report);
    facts(html, report);
    return Page.end(html);
  }

  private static String title(JobReport report) {
    return "offload " + report.job().command() + " · " + name(report);
  }

  /** What people call the job: its output, without the folder. */
  private static String name(JobReport report) {
    String output = report.job().settings().getOrDefault("output", report.job().command());
    return output.substring(output.lastIndexOf(File.separatorChar) + 1);
  }

  private static void header(Html html, JobReport report) {
    html.raw("<header>\n");
    String began = report.job().begun().replace('T', ' ').replace("Z", " UTC");
    html.element("p", "over", "offload " + report.job().command() + " · " + began);
    html.element("h1", name(report)).raw("\n");
    if (!report.job().finished()) {
      html.element("p", "stopped", "Stopped before all rows were done; --resume goes on.");
    }
    html.raw("<p class=\"lead\">").element("strong", report.verdict().sentence()).raw(" ");
    html.text(report.verdict().advice()).raw("</p>\n</header>\n");
  }

  private static void tiles(Html html, JobReport report) {
    Work work = report.work();
    Rows rows = report.rows();
    html.raw("<section class=\"tiles\" aria-label=\"Summary\">\n");
    report
        .labels()
        .filter(labels -> labels.compared() > 0)
        .ifPresent(
            labels ->
                Page.tile(
                    html,
                    "Accuracy",
                    Words.percent(labels.accuracy()),
                    "%s of %s"
                        .formatted(
                            Words.count(labels.right()), Words.count(labels.compared(), "row"))));
    Page.tile(
        html,
        "Tokens per second",
        Words.number(work.totalTokensPerSecond()),
        "prefill %s · decode %s"
            .formatted(
                Words.number(work.prefillTokensPerSecond()),
                Words.number(work.decodeTokensPerSecond())));
    String refused =
        rows.refused() == 0 ? "none refused" : Words.count(rows.refused()) + " refused";
    Page.tile(
        html,
        report.labels().isPresent() ? "Rows labeled" : "Rows answered",
        Words.count(rows.answered()),
        rows.resumed() == 0 ? refused : refused + " · " + Words.count(rows.resumed()) + " before");
    Page.tile(
        html,
        "Duration",
        Words.time(work.wallSeconds()),
        "%s · %s of %s"
            .formatted(
                Words.count(work.passes(), "pass").replace("passs", "passes"),
                Words.number(work.averageSequences()),
                Words.count(work.roomForSequences(), "sequence")));
    Page.tile(html, "Bounded by", report.verdict().headline(), bound(report.verdict()));
    html.raw("</section>\n");
  }

  private static String bound(Verdict verdict) {
    String share = Words.percent(verdict.share());
    return switch (verdict.bound()) {
      case "nothing" -> "no passes";
      case "rows", "choosing" -> share + " of the time";
      case "waiting" -> "no lane above " + share;
      default -> "lane " + verdict.bound() + ", " + share + " busy";
    };
  }

  private static void facts(Html html, JobReport report) {
    html.raw("<section class=\"pair\">\n<div>\n<h2>Job</h2>\n");
    Page.list(html, report.job().settings());
    html.raw("</div>\n<div>\n<h2>Machine and plan</h2>\n");
    Machine machine = report.machine();
    Memory memory = report.memory();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("device", machine.device());
    facts.put("computes with", machine.computeUnits() + " threads, " + machine.details());
    facts.put(
        "machine",
        "%s, %s"
            .formatted(
                Words.count(machine.processors(), "core"), Words.bytes(machine.memoryBytes())));
    facts.put("system", machine.system() + ", Java " + machine.java());
    facts.put("matrices in", memory.computedIn());
    facts.put(
        "a pass",
        "at most %s, %s of %s"
            .formatted(
                Words.count(report.work().roomForSequences(), "sequence"),
                Words.count(memory.microBatches(), "micro-batch").replace("batchs", "batches"),
                Words.count(memory.microBatchTokens(), "token")));
    facts.put("offload", report.job().version());
    Page.list(html, facts);
    html.raw("</div>\n</section>\n");
  }
}
