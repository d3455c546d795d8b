package dev.offload.backends.api;

import java.util.Optional;

/**
 * How attention weighs. Query head h reads KV head {@code h / (heads / kvHeads)}.
 *
 * @param heads query heads
 * @param scale factor on the dot products
 * @param window how many positions back (itself included) a token sees; 0 means all
 * @param softCap cap c of {@code c * tanh(score / c)}, applied after the scale; 0 means none
 * @param sinks one logit per query head that joins the softmax without a value
 */
public record AttentionSpec(
    int heads, float scale, int window, float softCap, Optional<Vector> sinks) {}
