package dev.offload.tensors.model;

/**
 * The largest values a configuration may name: far above any real model, low enough for no
 * overflow.
 */
final class Limits {
  /** Of any width, and of the vocabulary. */
  static final int WIDTH = 1 << 23;

  static final int HEADS = 1 << 14;
  static final int HEAD_DIM = 1 << 14;
  static final int LAYERS = 1 << 12;
  static final int CONTEXT = 1 << 30;
  static final int EXPERTS = 1 << 14;

  /** Of all layers together. */
  static final int ALL_EXPERTS = 1 << 18;

  private Limits() {}
}
