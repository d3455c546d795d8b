package dev.offload.jobs.labels;

import java.util.List;
import java.util.Map;

/**
 * A page about a labeling job: one HTML file without scripts that loads nothing. Whatever comes
 * from the job is escaped.
 */
public final class LabelReport {
  private static final String STYLE =
      """
      body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2530; background: #fff }
      h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
      .accuracy { font-size: 2.4rem; font-weight: 600 }
      .accuracy small { font-size: 1rem; font-weight: 400; color: #5b6675 }
      .wide { overflow-x: auto }
      table { border-collapse: collapse; font-variant-numeric: tabular-nums }
      th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #e3e7ec }
      th:first-child, td:first-child { text-align: left }
      td.bar { text-align: left; width: 16rem } td.bar div { background: #3b6ea8; height: .8rem }
      .facts td { text-align: left; vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere }
      .matrix td { text-align: center } .right { outline: 2px solid #2f7d4f; outline-offset: -2px }
      """;

  private LabelReport() {}

  /**
   * The page.
   *
   * @param facts about the job, name to value, in the order in which they are shown
   */
  public static String html(Map<String, String> facts, Confusion confusion) {
    StringBuilder page = new StringBuilder(16_384);
    page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.append("<title>Labels</title>\n<style>\n").append(STYLE).append("</style>\n</head>\n");
    page.append("<body>\n<h1>Labels</h1>\n");
    if (confusion.compared() > 0) {
      accuracy(page, confusion);
    }
    given(page, confusion);
    if (confusion.compared() > 0) {
      perLabel(page, confusion);
      matrix(page, confusion);
    }
    facts(page, facts);
    return page.append("</body>\n</html>\n").toString();
  }

  private static void accuracy(StringBuilder page, Confusion confusion) {
    page.append("<p class=\"accuracy\">")
        .append(LabelSummary.percent(confusion.accuracy()))
        .append(" <small>accuracy: ")
        .append(confusion.right())
        .append(" of ")
        .append(confusion.compared())
        .append(" rows with a gold label</small></p>\n");
    if (confusion.withoutGold() > 0) {
      page.append("<p>")
          .append(confusion.withoutGold())
          .append(" rows have no gold label and are not counted.</p>\n");
    }
    if (confusion.unknownGold() > 0) {
      page.append("<p>")
          .append(confusion.unknownGold())
          .append(
              " rows have a gold label that is not among the labels; they count as wrong.</p>\n");
    }
  }

  private static void given(StringBuilder page, Confusion confusion) {
    long most = 1;
    for (int label = 0; label < confusion.labels().size(); label++) {
      most = Math.max(most, confusion.given(label));
    }
    page.append("<h2>Labels given</h2>\n<div class=\"wide\"><table>\n");
    page.append("<tr><th>label</th><th>rows</th><th></th></tr>\n");
    for (int label = 0; label < confusion.labels().size(); label++) {
      page.append("<tr><td>")
          .append(escape(confusion.labels().get(label)))
          .append("</td><td>")
          .append(confusion.given(label))
          .append("</td><td class=\"bar\"><div style=\"width:")
          .append(Math.round(100.0 * confusion.given(label) / most))
          .append("%\"></div></td></tr>\n");
    }
    page.append("</table></div>\n");
  }

  private static void perLabel(StringBuilder page, Confusion confusion) {
    page.append("<h2>Precision and recall</h2>\n<div class=\"wide\"><table>\n");
    String cell = "th";
    for (List<String> row : LabelSummary.perLabel(confusion)) {
      page.append("<tr>");
      for (String text : row) {
        page.append("<%s>%s</%s>".formatted(cell, escape(text), cell));
      }
      page.append("</tr>\n");
      cell = "td";
    }
    page.append("</table></div>\n");
  }

  private static void matrix(StringBuilder page, Confusion confusion) {
    page.append("<h2>Confusion matrix</h2>\n");
    if (!LabelSummary.hasMatrix(confusion)) {
      page.append("<p>").append(LabelSummary.NO_MATRIX).append("</p>\n");
      return;
    }
    page.append("<p>A row for each gold label, a column for each label given. The darker a cell,");
    page.append(
        " the larger its share of the row.</p>\n<div class=\"wide\"><table class=\"matrix\">\n");
    List<List<String>> rows = LabelSummary.matrix(confusion);
    page.append("<tr>");
    rows.getFirst().forEach(text -> page.append("<th>").append(escape(text)).append("</th>"));
    page.append("</tr>\n");
    for (int gold = 0; gold < rows.size() - 1; gold++) {
      page.append("<tr><th>").append(escape(rows.get(gold + 1).getFirst())).append("</th>");
      for (int given = 0; given < confusion.labels().size(); given++) {
        page.append(cell(confusion, gold, given));
      }
      page.append("</tr>\n");
    }
    page.append("</table></div>\n");
  }

  private static String cell(Confusion confusion, int gold, int given) {
    long count = confusion.count(gold, given);
    double share = count == 0 ? 0 : (double) count / confusion.ofGold(gold);
    String ink = share > 0.5 ? "#fff" : "#1d2530";
    return "<td%s style=\"background:rgb(59 110 168 / %d%%);color:%s\">%d</td>"
        .formatted(gold == given ? " class=\"right\"" : "", Math.round(100 * share), ink, count);
  }

  private static void facts(StringBuilder page, Map<String, String> facts) {
    page.append("<h2>Job</h2>\n<table class=\"facts\">\n");
    facts.forEach(
        (name, value) ->
            page.append("<tr><td>")
                .append(escape(name))
                .append("</td><td>")
                .append(escape(value))
                .append("</td></tr>\n"));
    page.append("</table>\n");
  }

  /** A text as HTML shows it. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
