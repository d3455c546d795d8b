package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.ErrorKind;
import dev.offload.jobs.report.JobReport.Rows;
import java.util.Locale;

/** Why rows were refused. */
final class ErrorSection {
  private ErrorSection() {}

  static void add(Html html, JobReport report) {
    Rows rows = report.rows();
    if (rows.refused() == 0) {
      return;
    }
    html.raw("<section>\n<h2>Refused rows</h2>\n<p class=\"note\">");
    html.text(
        Words.count(rows.refused())
            + " of "
            + Words.count(rows.refused() + rows.answered(), "row"));
    html.text(" by kind of reason; quoted texts are “…”, numbers #.");
    if (rows.resumedRefused() > 0) {
      html.text(
          " %s were refused before this start of the job: their reasons are in the error file."
              .formatted(Words.count(rows.resumedRefused())));
    }
    html.raw("</p>\n<div class=\"wide\"><table class=\"errors\">\n");
    html.raw(
        "<thead><tr><th>Reason</th><th>Rows</th><th></th><th>First</th></tr></thead>\n<tbody>\n");
    long most = report.errors().stream().mapToLong(ErrorKind::count).max().orElse(1);
    for (ErrorKind error : report.errors()) {
      html.raw("<tr><td title=\"").text(error.example()).raw("\">").text(error.kind());
      html.raw(String.format(Locale.ROOT, "</td><td>%s</td>", Words.count(error.count())));
      html.raw(
          String.format(
              Locale.ROOT,
              "<td><i class=\"error\" style=\"width:%.2f%%\"></i></td>",
              100.0 * error.count() / most));
      html.raw(
          String.format(Locale.ROOT, "<td>line %s</td></tr>\n", Words.count(error.firstLine())));
    }
    html.raw("</tbody></table></div>\n</section>\n");
  }
}
