package dev.offload.backends.cpu;

import dev.offload.backends.api.Activation;
import jdk.incubator.vector.FloatVector;

/** Activations of feed-forward modules, with or without a gate. */
final class ActivationKernel {
  private static final float GELU_TANH_CUBIC = 0.044715f;
  private static final float SQRT_TWO_OVER_PI = 0.79788456f;
  private static final float SWIGLU_LIMIT = 7;
  private static final float SWIGLU_SLOPE = 1.702f;

  private ActivationKernel() {}

  static void activate(
      WorkerPool pool, MatrixRows x, Activation activation, boolean gated, MatrixRows out) {
    int width = out.columns();
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] gate = RowLoop.scratch(width);
          float[] up = RowLoop.scratch(width);
          float[] scratch = RowLoop.scratch(width);
          for (int i = first; i < end; i++) {
            x.load(i, 0, width, gate, 0);
            if (gated) {
              x.load(i, width, width, up, 0);
              activateGated(activation, gate, up, scratch);
            } else {
              activate(activation, gate, scratch);
            }
            out.store(gate, i);
          }
        });
  }

  private static void activateGated(
      Activation activation, float[] gate, float[] up, float[] scratch) {
    if (activation == Activation.CLAMPED_SWIGLU) {
      clampedSwiglu(gate, up, scratch);
      return;
    }
    activate(activation, gate, scratch);
    multiply(gate, up);
  }

  private static void activate(Activation activation, float[] x, float[] scratch) {
    switch (activation) {
      case SILU -> silu(x, scratch);
      case GELU -> gelu(x, scratch);
      case GELU_TANH -> geluTanh(x, scratch);
      case RELU -> relu(x);
      case CLAMPED_SWIGLU -> throw new AssertionError("needs a gate; refused at the door");
    }
  }

  private static void silu(float[] x, float[] scratch) {
    System.arraycopy(x, 0, scratch, 0, x.length);
    VectorMath.sigmoid(scratch, 0, x.length);
    multiply(x, scratch);
  }

  private static void gelu(float[] x, float[] scratch) {
    float[] cdf = x.clone();
    VectorMath.normalCdf(cdf, 0, x.length, scratch);
    multiply(x, cdf);
  }

  /** {@code x/2 (1 + tanh(u))} is {@code x sigmoid(2u)}, which does not cancel. */
  private static void geluTanh(float[] x, float[] scratch) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, i);
      FloatVector inner = v.mul(v).mul(GELU_TANH_CUBIC).add(1).mul(v);
      inner.mul(2 * SQRT_TWO_OVER_PI).intoArray(scratch, i);
    }
    VectorMath.sigmoid(scratch, 0, x.length);
    multiply(x, scratch);
  }

  private static void relu(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).max(0f).intoArray(x, i);
    }
  }

  private static void clampedSwiglu(float[] gate, float[] up, float[] scratch) {
    for (int i = 0; i < gate.length; i += Lanes.COUNT) {
      FloatVector g = FloatVector.fromArray(Lanes.FLOATS, gate, i).min(SWIGLU_LIMIT);
      FloatVector u =
          FloatVector.fromArray(Lanes.FLOATS, up, i).min(SWIGLU_LIMIT).max(-SWIGLU_LIMIT);
      u.add(1).mul(g).intoArray(gate, i);
      g.mul(SWIGLU_SLOPE).intoArray(scratch, i);
    }
    VectorMath.sigmoid(scratch, 0, gate.length);
    multiply(gate, scratch);
  }

  private static void multiply(float[] x, float[] y) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i)
          .mul(FloatVector.fromArray(Lanes.FLOATS, y, i))
          .intoArray(x, i);
    }
  }
}
