package dev.offload.planner.flexgen;

/**
 * Where weights, cache and hidden states live, as shares that add up to 1 each.
 *
 * @param weights of the weights
 * @param cache of the KV cache
 * @param hidden of the hidden states between layers
 */
public record Shares(Tiers weights, Tiers cache, Tiers hidden) {

  /** Shares on GPU, CPU and disk. */
  public record Tiers(double gpu, double cpu, double disk) {}
}
