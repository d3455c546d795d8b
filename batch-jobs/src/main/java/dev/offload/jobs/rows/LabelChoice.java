package dev.offload.jobs.rows;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The choice among labels that a row came to.
 *
 * @param label number of the most probable label; of equally probable ones the first
 * @param probabilities of all labels in their order, 1 together
 */
public record LabelChoice(int label, List<Double> probabilities) {
  public LabelChoice {
    probabilities = List.copyOf(probabilities);
  }

  /** Compares the labels of a request: the softmax over their scores. */
  public static LabelChoice of(
      ChoiceRequest request, ChoiceResult result, Normalisation normalisation) {
    List<Double> scores = new ArrayList<>(request.choices().size());
    for (int i = 0; i < request.choices().size(); i++) {
      scores.add(
          normalisation.score(result.logLikelihoods().get(i), request.choices().get(i).size()));
    }
    double most = Collections.max(scores);
    if (!Double.isFinite(most)) {
      throw new IllegalStateException(
          "row %d: the model gives no label any probability, its best score is %s"
              .formatted(result.index(), most));
    }
    return new LabelChoice(scores.indexOf(most), softmax(scores, most));
  }

  private static List<Double> softmax(List<Double> scores, double most) {
    double sum = scores.stream().mapToDouble(score -> Math.exp(score - most)).sum();
    return scores.stream().map(score -> Math.exp(score - most) / sum).toList();
  }
}
