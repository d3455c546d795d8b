package dev.offload.jobs.report;

import dev.offload.jobs.labels.LabelSummary;
import dev.offload.jobs.report.LabelScores.Gold;
import dev.offload.jobs.report.LabelScores.Label;
import java.util.List;
import java.util.Locale;

/** Which labels were given, and how right they were. */
final class LabelSection {
  private LabelSection() {}

  static void add(Html html, LabelScores scores) {
    html.raw("<section>\n<h2>Labels</h2>\n");
    note(html, scores);
    if (!scores.labels().isEmpty()) {
      table(html, scores);
    }
    if (!scores.labels().isEmpty() && scores.compared() > 0) {
      matrix(html, scores);
    }
    html.raw("</section>\n");
  }

  private static void note(Html html, LabelScores scores) {
    html.raw("<p class=\"note\">");
    if (scores.compared() > 0) {
      html.text(
          "%s of %s with a gold label are right. "
              .formatted(Words.count(scores.right()), Words.count(scores.compared(), "row")));
    }
    if (scores.compared() > 0 && scores.withoutGold() > 0) {
      html.text(
          "Rows without a gold label: %s, not counted. "
              .formatted(Words.count(scores.withoutGold())));
    }
    if (scores.unknownGold() > 0) {
      html.text(
          "Rows whose gold label is not among the labels: %s, counted as wrong. "
              .formatted(Words.count(scores.unknownGold())));
    }
    if (scores.incomplete() > 0) {
      html.text(
          "Labels that were cut off while they were written: %s, counted as wrong. "
              .formatted(Words.count(scores.incomplete())));
    }
    if (scores.labels().isEmpty() && scores.compared() == 0) {
      html.text("The model wrote them; their right ones are not known.");
    }
    html.raw("</p>\n");
  }

  private static void table(Html html, LabelScores scores) {
    boolean gold = scores.compared() > 0;
    long most = scores.labels().stream().mapToLong(Label::given).max().orElse(0);
    html.raw("<div class=\"wide\"><table class=\"labels\">\n<thead><tr><th>Label</th>");
    html.raw(gold ? "<th>Precision</th><th>Recall</th><th>Gold</th>" : "");
    html.raw("<th>Given</th><th></th></tr></thead>\n<tbody>\n");
    for (Label label : scores.labels()) {
      html.raw("<tr>").element("td", label.name());
      if (gold) {
        html.element("td", Words.percent(label.precision()));
        html.element("td", Words.percent(label.recall()));
        html.element("td", Words.count(label.gold()));
      }
      html.element("td", Words.count(label.given()));
      html.raw(
          String.format(
              Locale.ROOT,
              "<td><i class=\"label\" style=\"width:%.2f%%\"></i></td></tr>\n",
              100.0 * label.given() / Math.max(1, most)));
    }
    html.raw("</tbody></table></div>\n");
  }

  private static void matrix(Html html, LabelScores scores) {
    html.raw("<h3>Confusion matrix</h3>\n");
    if (scores.matrix().isEmpty()) {
      html.element("p", "note", LabelSummary.NO_MATRIX);
      return;
    }
    html.raw(
        "<p class=\"note\">A row for each gold label, a column for each label given. The stronger the colour of a");
    html.raw(
        " cell, the larger its share of the row.</p>\n<div class=\"wide\"><table class=\"matrix\">\n");
    html.raw("<thead><tr><th></th>");
    scores
        .labels()
        .forEach(
            label -> html.raw("<th scope=\"col\">").element("span", label.name()).raw("</th>"));
    html.raw("</tr></thead>\n<tbody>\n");
    for (int row = 0; row < scores.matrix().size(); row++) {
      row(html, row, scores.matrix().get(row));
    }
    html.raw("</tbody></table></div>\n");
  }

  private static void row(Html html, int row, Gold gold) {
    List<Long> given = gold.given();
    long sum = Math.max(1, given.stream().mapToLong(Long::longValue).sum());
    html.raw("<tr><th scope=\"row\">").text(gold.name()).raw("</th>");
    for (int i = 0; i < given.size(); i++) {
      double share = (double) given.get(i) / sum;
      html.raw(
          String.format(
              Locale.ROOT,
              "<td class=\"%s%s\" style=\"--share:%.0f%%\">%s</td>",
              share > 0.5 ? "dark" : "pale",
              i == row ? " right" : "",
              100 * share,
              given.get(i) == 0 ? "·" : Words.count(given.get(i))));
    }
    html.raw("</tr>\n");
  }
}
