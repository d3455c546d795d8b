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
          for (int i = first; i < end; i++) {
            x.load(i, 0, width, gate, 0);
            if (gated) {
              x.load(i, width, width, up, 0);
              activateGated(activation, gate, up);
            } else {
              activate(activation, gate);
            }
            out.store(gate, i);
          }
        });
  }

  private static void activateGated(Activation activation, float[] gate, float[] up) {
    if (activation == Activation.CLAMPED_SWIGLU) {
      clampedSwiglu(gate, up);
      return;
    }
    activate(activation, gate);
    for (int i = 0; i < gate.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, gate, i)
          .mul(FloatVector.fromArray(Lanes.FLOATS, up, i))
          .intoArray(gate, i);
    }
  }

  private static void activate(Activation activation, float[] x) {
    switch (activation) {
      case SILU -> silu(x);
      case GELU -> gelu(x);
      case GELU_TANH -> geluTanh(x);
      case RELU -> relu(x);
      case CLAMPED_SWIGLU -> throw new AssertionError("needs a gate; refused at the door");
    }
  }

  private static void silu(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, i);
      v.div(VectorMath.exp(v.neg()).add(1)).intoArray(x, i);
    }
  }

  private static void gelu(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, i);
      v.mul(VectorMath.normalCdf(v)).intoArray(x, i);
    }
  }

  /** {@code x/2 (1 + tanh(u))} is {@code x sigmoid(2u)}, which does not cancel. */
  private static void geluTanh(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, i);
      FloatVector inner = v.mul(v).mul(GELU_TANH_CUBIC).add(1).mul(v);
      v.mul(VectorMath.sigmoid(inner.mul(2 * SQRT_TWO_OVER_PI))).intoArray(x, i);
    }
  }

  private static void relu(float[] x) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).max(0).intoArray(x, i);
    }
  }

  private static void clampedSwiglu(float[] gate, float[] up) {
    for (int i = 0; i < gate.length; i += Lanes.COUNT) {
      FloatVector g = FloatVector.fromArray(Lanes.FLOATS, gate, i).min(SWIGLU_LIMIT);
      FloatVector u =
          FloatVector.fromArray(Lanes.FLOATS, up, i).min(SWIGLU_LIMIT).max(-SWIGLU_LIMIT);
      u.add(1).mul(g).mul(VectorMath.sigmoid(g.mul(SWIGLU_SLOPE))).intoArray(gate, i);
    }
  }
}
