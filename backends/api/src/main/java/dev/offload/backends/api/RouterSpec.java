package dev.offload.backends.api;

import java.util.Optional;

/**
 * How experts are chosen.
 *
 * @param expertsPerToken how many, k
 * @param scoring turns logits into scores
 * @param normalise the chosen weights are divided by their sum
 * @param scale factor on the weights at the end
 * @param groups groups of experts of which only the best are looked at; 1 means no groups. A group
 *     is as good as its best score, or with a correction as the sum of its best two
 * @param groupsKept how many groups are looked at
 * @param correction one bias per expert that joins the scores for the choice only
 */
public record RouterSpec(
    int expertsPerToken,
    Scoring scoring,
    boolean normalise,
    float scale,
    int groups,
    int groupsKept,
    Optional<Vector> correction) {

  /** How logits become scores. */
  public enum Scoring {
    SOFTMAX,
    SIGMOID,
    /** The choice by logit, then softmax over the chosen. */
    SOFTMAX_OF_CHOSEN
  }
}
