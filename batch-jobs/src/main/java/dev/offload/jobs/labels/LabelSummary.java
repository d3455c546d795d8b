package dev.offload.jobs.labels;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Writes how right labels were as text: accuracy, each label, and the confusion matrix. */
public final class LabelSummary {
  public static final String NO_MATRIX =
      "the confusion matrix is left out: it is shown for at most 50 labels";

  private static final int MATRIX_LABELS = 50;
  private static final String NONE = "-";

  private LabelSummary() {}

  /** The lines to print. */
  public static List<String> lines(Confusion confusion) {
    List<String> lines = new ArrayList<>();
    lines.add(accuracy(confusion));
    if (confusion.withoutGold() > 0) {
      lines.add(confusion.withoutGold() + " rows have no gold label and are not counted");
    }
    if (confusion.unknownGold() > 0) {
      lines.add(
          confusion.unknownGold()
              + " rows have a gold label that is not among the labels; they count as wrong");
    }
    lines.add("");
    lines.addAll(align(perLabel(confusion)));
    lines.add("");
    if (!hasMatrix(confusion)) {
      lines.add(NO_MATRIX);
      return lines;
    }
    lines.add("confusion matrix: a row for each gold label, a column for each label given");
    lines.addAll(align(matrix(confusion)));
    return lines;
  }

  /** Whether the matrix is small enough to be looked at. */
  public static boolean hasMatrix(Confusion confusion) {
    return confusion.labels().size() <= MATRIX_LABELS;
  }

  static String accuracy(Confusion confusion) {
    return "accuracy %s: %d of %d rows"
        .formatted(percent(confusion.accuracy()), confusion.right(), confusion.compared());
  }

  /** A heading, and a row for each label. */
  static List<List<String>> perLabel(Confusion confusion) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("label", "precision", "recall", "gold", "given"));
    for (int label = 0; label < confusion.labels().size(); label++) {
      rows.add(
          List.of(
              confusion.labels().get(label),
              percent(confusion.precision(label)),
              percent(confusion.recall(label)),
              Long.toString(confusion.ofGold(label)),
              Long.toString(confusion.given(label))));
    }
    return rows;
  }

  /** A heading, and a row for each gold label; rows of unknown labels only if there are any. */
  static List<List<String>> matrix(Confusion confusion) {
    int labels = confusion.labels().size();
    List<List<String>> rows = new ArrayList<>();
    List<String> heading = new ArrayList<>(List.of(""));
    heading.addAll(confusion.labels());
    rows.add(heading);
    int last = confusion.unknownGold() > 0 ? labels : labels - 1;
    for (int gold = 0; gold <= last; gold++) {
      List<String> row = new ArrayList<>();
      row.add(gold == labels ? Confusion.OTHER : confusion.labels().get(gold));
      for (int given = 0; given < labels; given++) {
        row.add(Long.toString(confusion.count(gold, given)));
      }
      rows.add(row);
    }
    return rows;
  }

  public static String percent(OptionalDouble share) {
    return share.isEmpty()
        ? NONE
        : String.format(Locale.ROOT, "%.1f %%", 100 * share.getAsDouble());
  }

  /** Columns under one another: the first to the left, the others to the right. */
  private static List<String> align(List<List<String>> rows) {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).codePointCount(0, row.get(i).length()));
      }
    }
    return rows.stream().map(row -> align(row, widths)).toList();
  }

  private static String align(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = row.get(i);
      String space = " ".repeat(widths[i] - cell.codePointCount(0, cell.length()));
      line.append(i == 0 ? cell + space : "  " + space + cell);
    }
    return line.toString().stripTrailing();
  }
}
