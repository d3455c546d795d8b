package dev.offload.tensors.model;

import java.util.List;

/**
 * Inverse frequencies of a rotary embedding for every kind of scaling, as transformers computes
 * them ({@code modeling_rope_utils.py}): binary32 wherever it uses tensors, binary64 wherever it
 * uses Python numbers.
 */
final class RopeFrequencies {
  private final Rope rope;
  private final int count;

  RopeFrequencies(Rope rope) {
    this.rope = rope;
    count = rope.dimensions() / 2;
  }

  /** For sequences within the original context, or for all where that makes no difference. */
  float[] within() {
    return switch (rope.scaling()) {
      case Rope.None none -> plain(rope.base());
      case Rope.Linear linear -> divided(plain(rope.base()), (float) linear.factor());
      case Rope.Dynamic dynamic -> plain(rope.base());
      case Rope.Llama3 llama3 -> llama3(llama3);
      case Rope.Yarn yarn -> yarn(yarn);
      case Rope.Longrope longrope -> stretched(longrope.shortFactors());
    };
  }

  /** For sequences beyond the original context. */
  float[] beyond() {
    return rope.scaling() instanceof Rope.Longrope longrope
        ? stretched(longrope.longFactors())
        : within();
  }

  /** Length up to which {@link #within} holds. */
  int originalContext() {
    return switch (rope.scaling()) {
      case Rope.Dynamic dynamic -> dynamic.originalContext();
      case Rope.Longrope longrope -> longrope.originalContext();
      default -> Integer.MAX_VALUE;
    };
  }

  /** Factor on cosines and sines. */
  float attentionFactor() {
    return switch (rope.scaling()) {
      case Rope.Yarn yarn -> (float) yarn.attentionFactor();
      case Rope.Longrope longrope -> (float) longrope.attentionFactor();
      default -> 1;
    };
  }

  /** NTK-aware base for one length beyond the original context. */
  static float[] dynamic(Rope rope, Rope.Dynamic scaling, int length) {
    double growth = scaling.factor() * length / scaling.originalContext() - (scaling.factor() - 1);
    double dimensions = rope.dimensions();
    double base = rope.base() * Math.pow(growth, dimensions / (dimensions - 2));
    return new RopeFrequencies(rope).plain(base);
  }

  private float[] plain(double base) {
    float[] inverse = new float[count];
    for (int i = 0; i < count; i++) {
      inverse[i] = 1f / power(base, i);
    }
    return inverse;
  }

  /** {@code base^(2i/dimensions)} in binary32. */
  private float power(double base, int i) {
    return (float) Math.pow((float) base, 2f * i / rope.dimensions());
  }

  private static float[] divided(float[] inverse, float factor) {
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] /= factor;
    }
    return inverse;
  }

  private float[] stretched(List<Double> factors) {
    float[] inverse = new float[count];
    for (int i = 0; i < count; i++) {
      inverse[i] = 1f / (factors.get(i).floatValue() * power(rope.base(), i));
    }
    return inverse;
  }

  private float[] llama3(Rope.Llama3 scaling) {
    double old = scaling.originalContext();
    float longest = (float) (old / scaling.lowFrequencyFactor());
    float shortest = (float) (old / scaling.highFrequencyFactor());
    float[] inverse = plain(rope.base());
    for (int i = 0; i < count; i++) {
      float wavelength = (float) (2 * Math.PI) / inverse[i];
      if (wavelength > longest) {
        inverse[i] /= (float) scaling.factor();
      } else if (wavelength >= shortest) {
        float smooth =
            ((float) old / wavelength - (float) scaling.lowFrequencyFactor())
                / (float) (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
        inverse[i] = (1 - smooth) * inverse[i] / (float) scaling.factor() + smooth * inverse[i];
      }
    }
    return inverse;
  }

  private float[] yarn(Rope.Yarn scaling) {
    double low = correctionDimension(scaling, scaling.betaFast());
    double high = correctionDimension(scaling, scaling.betaSlow());
    if (scaling.truncate()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, rope.dimensions() - 1);
    if (low == high) {
      high += 0.001;
    }
    float[] inverse = new float[count];
    for (int i = 0; i < count; i++) {
      float ramp = (float) Math.clamp((i - low) / (high - low), 0, 1);
      float power = power(rope.base(), i);
      float extrapolated = 1f / power;
      float interpolated = 1f / ((float) scaling.factor() * power);
      inverse[i] = interpolated * ramp + extrapolated * (1 - ramp);
    }
    return inverse;
  }

  /** Dimension that turns {@code rotations} times within the original context. */
  private double correctionDimension(Rope.Yarn scaling, double rotations) {
    return rope.dimensions()
        * Math.log(scaling.originalContext() / (rotations * 2 * Math.PI))
        / (2 * Math.log(rope.base()));
  }
}
