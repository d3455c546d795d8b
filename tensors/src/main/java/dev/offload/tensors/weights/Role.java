package dev.offload.tensors.weights;

/**
 * What a parameter is for. Matrices are [outputs, inputs], row-major, as checkpoints of linear
 * layers store them.
 */
public enum Role {
  TOKEN_TABLE,
  POSITION_TABLE,
  /** [hidden, embedding width]. */
  PROJECT_IN,
  ATTENTION_NORM,
  ATTENTION_NORM_BIAS,
  /**
   * Queries, keys and values: [heads·d + kvHeads·(d + dv), hidden]. In latent attention queries,
   * the rotated part of each first, or their latent; then the latent of keys and values, and the
   * rotated key: [queries + rank + rotated, hidden].
   */
  QKV,
  QKV_BIAS,
  QUERY_NORM,
  KEY_NORM,
  /** Norm of the latent that queries are made from. */
  QUERY_LATENT_NORM,
  /** From that latent to queries, the rotated part of each first: [heads·d, query rank]. */
  QUERY_UP,
  /** Norm of the latent of keys and values. */
  KEY_VALUE_LATENT_NORM,
  /**
   * One matrix per head that takes the plain part of a query to what is multiplied with a latent
   * instead of a key: [heads·rank, plain].
   */
  KEY_UP,
  /** One matrix per head from an attended latent to a value: [heads·dv, rank]. */
  VALUE_UP,
  SINKS,
  /** [hidden, heads·dv]. */
  ATTENTION_OUTPUT,
  ATTENTION_OUTPUT_BIAS,
  /** Norm on the attention's output (Gemma). */
  ATTENTION_POST_NORM,
  FEED_FORWARD_NORM,
  FEED_FORWARD_NORM_BIAS,
  /** Norm on the feed-forward output (Gemma). */
  FEED_FORWARD_POST_NORM,
  /** [experts, hidden]. */
  ROUTER,
  ROUTER_BIAS,
  ROUTER_CORRECTION,
  /** [1, hidden]. */
  SHARED_GATE,
  /** Gated: gate rows above up rows, [2·width, hidden]. Otherwise [width, hidden]. */
  UP,
  UP_BIAS,
  /** [hidden, width]. */
  DOWN,
  DOWN_BIAS,
  FINAL_NORM,
  FINAL_NORM_BIAS,
  /** [embedding width, hidden]. */
  PROJECT_OUT,
  /** [vocabulary, embedding width]. */
  OUTPUT;

  /** Whether it is a matrix, however few rows it has; else it is a vector. */
  public boolean isMatrix() {
    return switch (this) {
      case TOKEN_TABLE,
          POSITION_TABLE,
          PROJECT_IN,
          QKV,
          QUERY_UP,
          KEY_UP,
          VALUE_UP,
          ATTENTION_OUTPUT,
          ROUTER,
          SHARED_GATE,
          UP,
          DOWN,
          PROJECT_OUT,
          OUTPUT ->
          true;
      case ATTENTION_NORM,
          ATTENTION_NORM_BIAS,
          QKV_BIAS,
          QUERY_NORM,
          KEY_NORM,
          QUERY_LATENT_NORM,
          KEY_VALUE_LATENT_NORM,
          SINKS,
          ATTENTION_OUTPUT_BIAS,
          ATTENTION_POST_NORM,
          FEED_FORWARD_NORM,
          FEED_FORWARD_NORM_BIAS,
          FEED_FORWARD_POST_NORM,
          ROUTER_BIAS,
          ROUTER_CORRECTION,
          UP_BIAS,
          DOWN_BIAS,
          FINAL_NORM,
          FINAL_NORM_BIAS ->
          false;
    };
  }

  /** Whether it is the factor of a norm. */
  public boolean isNormWeight() {
    return switch (this) {
      case ATTENTION_NORM,
          ATTENTION_POST_NORM,
          QUERY_NORM,
          KEY_NORM,
          QUERY_LATENT_NORM,
          KEY_VALUE_LATENT_NORM,
          FEED_FORWARD_NORM,
          FEED_FORWARD_POST_NORM,
          FINAL_NORM ->
          true;
      default -> false;
    };
  }
}
