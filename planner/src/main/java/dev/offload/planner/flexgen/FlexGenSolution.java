package dev.offload.planner.flexgen;

/**
 * The best policy.
 *
 * @param seconds for a block: prefill and all generated tokens
 * @param prefillSeconds of that for prefill
 * @param tokensPerSecond generated tokens over {@code seconds}
 * @param shares one of the policies that reach it; others may reach it too
 */
public record FlexGenSolution(
    double seconds, double prefillSeconds, double tokensPerSecond, Shares shares) {}
