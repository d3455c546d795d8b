package dev.offload.jobs.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.offload.jobs.labels.Confusion;
import dev.offload.jobs.labels.LabelSummary;
import dev.offload.jobs.labels.WrittenLabels;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Which labels were given, and how right they were, of all rows of the job.
 *
 * @param compared rows whose right label is known; if there are none, nothing is known of accuracy
 * @param right those of them that were given it
 * @param withoutGold rows whose right label is not known
 * @param unknownGold rows whose right label is not among the job's; they count as wrong
 * @param incomplete rows whose label was cut off while it was written; they count as wrong
 * @param accuracy share of the compared rows that are right
 * @param labels one after the other as the job names them; none if they were written freely
 * @param matrix a row for each gold label, the last of them {@link Confusion#OTHER} if there are
 *     such; empty if nothing is compared or the labels are too many to be looked at
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record LabelScores(
    long compared,
    long right,
    long withoutGold,
    long unknownGold,
    long incomplete,
    OptionalDouble accuracy,
    List<Label> labels,
    List<Gold> matrix) {
  public LabelScores {
    labels = List.copyOf(labels);
    matrix = List.copyOf(matrix);
  }

  /**
   * A label of the job.
   *
   * @param given rows that were given it
   * @param gold rows whose right label it is
   * @param precision share of the compared rows given it that are right
   * @param recall share of the rows whose right label it is that were given it
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Label(
      String name, long given, long gold, OptionalDouble precision, OptionalDouble recall) {}

  /**
   * The rows of a gold label.
   *
   * @param given how many were given each label
   */
  public record Gold(String name, List<Long> given) {
    public Gold {
      given = List.copyOf(given);
    }
  }

  /** What was counted. */
  public static LabelScores of(Confusion confusion) {
    List<Label> labels = new ArrayList<>();
    for (int i = 0; i < confusion.labels().size(); i++) {
      labels.add(
          new Label(
              confusion.labels().get(i),
              confusion.given(i),
              confusion.ofGold(i),
              confusion.precision(i),
              confusion.recall(i)));
    }
    return new LabelScores(
        confusion.compared(),
        confusion.right(),
        confusion.withoutGold(),
        confusion.unknownGold(),
        0,
        confusion.accuracy(),
        labels,
        matrix(confusion));
  }

  /** What became of labels that the model wrote. */
  public static LabelScores of(WrittenLabels written) {
    return new LabelScores(
        written.compared(),
        written.right(),
        written.rows() - written.compared(),
        0,
        written.incomplete(),
        written.accuracy(),
        List.of(),
        List.of());
  }

  private static List<Gold> matrix(Confusion confusion) {
    if (confusion.compared() == 0 || !LabelSummary.hasMatrix(confusion)) {
      return List.of();
    }
    int labels = confusion.labels().size();
    List<Gold> rows = new ArrayList<>();
    for (int gold = 0; gold < labels + (confusion.unknownGold() > 0 ? 1 : 0); gold++) {
      List<Long> given = new ArrayList<>();
      for (int label = 0; label < labels; label++) {
        given.add(confusion.count(gold, label));
      }
      rows.add(new Gold(gold == labels ? Confusion.OTHER : confusion.labels().get(gold), given));
    }
    return rows;
  }
}
