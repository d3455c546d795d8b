package dev.offload.tensors.model;

/** How long sequences may become. */
final class ContextLength {
  private ContextLength() {}

  /**
   * The positions a configuration names; dynamic scaling exists to go beyond them, up to its
   * factor.
   */
  static int of(int named, Rope rope) {
    return rope.scaling() instanceof Rope.Dynamic dynamic
        ? (int) Math.min(Limits.CONTEXT, Math.max(named, named * dynamic.factor()))
        : named;
  }
}
