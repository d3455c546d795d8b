package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.Homes;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Peak;

/** What lived where, and how much memory it took. */
final class MemorySection {
  private MemorySection() {}

  static void add(Html html, JobReport report) {
    Memory memory = report.memory();
    html.raw("<section class=\"pair\">\n<div>\n<h2>What lived where</h2>\n");
    html.raw(
        "<p class=\"note\">What is off the device crosses to it in every pass, except cache that");
    html.raw(" the CPU attends to.</p>\n");
    Bars bars = Bars.begin(html);
    homes(bars, "weights", memory.weights());
    homes(bars, "cache", memory.cache());
    bars.end();
    html.raw("</div>\n<div>\n<h2>Memory</h2>\n<p class=\"note\">");
    html.text("Most in use at any time, of the budget.");
    if (report.work().diskBytes() > 0) {
      html.text(" %s were read from disk.".formatted(Words.bytes(report.work().diskBytes())));
    }
    html.raw("</p>\n");
    Bars peaks = Bars.begin(html);
    peak(peaks, "device", memory.device());
    peak(peaks, "host", memory.host());
    peaks.end();
    html.raw("</div>\n</section>\n");
  }

  private static void homes(Bars bars, String what, Homes homes) {
    home(bars, what + " on the device", "gpu", homes.device(), homes);
    home(bars, what + " in host memory", "h2d", homes.host(), homes);
    home(bars, what + " on disk", "disk", homes.disk(), homes);
  }

  private static void home(Bars bars, String name, String type, long bytes, Homes homes) {
    if (bytes > 0) {
      bars.line(type, name, (double) bytes / homes.total(), Words.bytes(bytes));
    }
  }

  private static void peak(Bars bars, String name, Peak peak) {
    bars.line(
        "idle",
        name,
        peak.budgetBytes() == 0 ? 0 : (double) peak.bytes() / peak.budgetBytes(),
        "%s of %s".formatted(Words.bytes(peak.bytes()), Words.bytes(peak.budgetBytes())));
  }
}
