package dev.offload.backends.kernels;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.RouterSpec.Scoring;
import dev.offload.tensors.DType;

/** Choices as the numbers by which kernels know them; their sources define the same. */
final class KernelNumbers {
  private KernelNumbers() {}

  /** See numbers.h. */
  static int of(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 2;
    };
  }

  /** See activation.cl. */
  static int of(Activation activation) {
    return switch (activation) {
      case SILU -> 0;
      case GELU -> 1;
      case GELU_TANH -> 2;
      case RELU -> 3;
      case CLAMPED_SWIGLU -> 4;
    };
  }

  /** See route.cl. */
  static int of(Scoring scoring) {
    return switch (scoring) {
      case SOFTMAX -> 0;
      case SIGMOID -> 1;
      case SOFTMAX_OF_CHOSEN -> 2;
    };
  }
}
