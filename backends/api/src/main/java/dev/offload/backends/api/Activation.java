package dev.offload.backends.api;

/** Non-linearities of feed-forward modules. */
public enum Activation {
  SILU,
  /** With the error function. */
  GELU,
  /** With tanh. */
  GELU_TANH,
  RELU,
  /** {@code (min(max(up,-7),7) + 1) * g * sigmoid(1.702 g)} with {@code g = min(gate, 7)}. */
  CLAMPED_SWIGLU
}
