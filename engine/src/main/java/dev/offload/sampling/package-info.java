/**
 * From logits to tokens to finished outputs: penalties, filters, seeded randomness,
 * log-probabilities and the rules that end an output. The engine uses {@link
 * dev.offload.sampling.SequenceOutput}.
 */
package dev.offload.sampling;
