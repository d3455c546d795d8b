/**
 * From logits to tokens to finished outputs: penalties, filters, seeded randomness,
 * log-probabilities and the rules that end an output; and to likelihoods of choices. The engine
 * uses {@link dev.offload.sampling.SequenceOutput} and {@link dev.offload.sampling.ChoiceScores}.
 */
package dev.offload.sampling;
