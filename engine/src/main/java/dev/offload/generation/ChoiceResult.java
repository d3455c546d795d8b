package dev.offload.generation;

import java.util.List;

/**
 * How likely the choices of one row are.
 *
 * @param index number of the row, as in the request
 * @param logLikelihoods one per choice in the request's order: the natural logarithm of the
 *     probability that the model goes on with just these tokens behind the prompt, summed over the
 *     choice's tokens; neither sampling parameters nor the choice's length change it. −infinity if
 *     the model holds a choice for impossible
 * @param promptTokens length of the prompt
 */
public record ChoiceResult(long index, List<Double> logLikelihoods, int promptTokens) {
  public ChoiceResult {
    logLikelihoods = List.copyOf(logLikelihoods);
  }
}
