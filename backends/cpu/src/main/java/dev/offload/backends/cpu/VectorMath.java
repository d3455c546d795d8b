package dev.offload.backends.cpu;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Transcendental functions of whole vectors, to within 1e-6 relative (the error function: of what
 * it is subtracted from). The polynomials were fitted by reweighted least squares on Chebyshev
 * nodes against 40-digit values.
 */
final class VectorMath {
  /** 1.5 * 2^23: adding it rounds to an integer, which then stands in the low mantissa bits. */
  private static final float ROUNDER = 12582912f;

  private static final float LOG2_E = 1.442695041f;

  /** ln 2 in two parts, the first with trailing zero bits so that its small multiples are exact. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  /** Above this the result is infinite, {@code ln(2^128)}. */
  private static final float EXP_OVERFLOW = 88.722839f;

  /** Below this the result is not a normal number, {@code ln(2^-126)}, and counts as 0. */
  private static final float EXP_UNDERFLOW = -87.336544f;

  /** Below this a polynomial is better than the quotient of exponentials, which cancels. */
  private static final float TANH_SMALL = 0.625f;

  private static final float SQRT_HALF = 0.70710678f;

  private VectorMath() {}

  /** {@code e^x}; results below the smallest normal number are 0. */
  static FloatVector exp(FloatVector x) {
    FloatVector rounded = Lanes.fma(x, constant(LOG2_E), constant(ROUNDER));
    FloatVector power = rounded.sub(ROUNDER);
    FloatVector r = Lanes.fma(power, constant(-LN2_HIGH), x);
    r = Lanes.fma(power, constant(-LN2_LOW), r);
    FloatVector p = Lanes.fma(r, constant(0.00831247773f), constant(0.0418905504f));
    p = Lanes.fma(p, r, constant(0.166671157f));
    p = Lanes.fma(p, r, constant(0.499992281f));
    p = Lanes.fma(p, r, constant(1));
    p = Lanes.fma(p, r, constant(1));
    // The power of two goes straight into the exponent: 2^128 times something below 1 still fits.
    IntVector exponent = rounded.reinterpretAsInts().lanewise(LSHL, 23);
    FloatVector y = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    y = y.blend(0, x.compare(LT, EXP_UNDERFLOW));
    return y.blend(Float.POSITIVE_INFINITY, x.compare(GT, EXP_OVERFLOW));
  }

  /** {@code 1 / (1 + e^-x)}. */
  static FloatVector sigmoid(FloatVector x) {
    return constant(1).div(exp(x.neg()).add(1));
  }

  /** Hyperbolic tangent. */
  static FloatVector tanh(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector quotient = constant(1).sub(constant(2).div(exp(magnitude.add(magnitude)).add(1)));
    FloatVector z = x.mul(x);
    FloatVector p = Lanes.fma(z, constant(-0.00515511492f), constant(0.0201116595f));
    p = Lanes.fma(p, z, constant(-0.0535669886f));
    p = Lanes.fma(p, z, constant(0.133292437f));
    p = Lanes.fma(p, z, constant(-0.333331972f));
    FloatVector small = Lanes.fma(p.mul(z), x, x);
    FloatVector large = quotient.blend(quotient.neg(), x.compare(LT, 0));
    return large.blend(small, magnitude.compare(LT, TANH_SMALL));
  }

  /**
   * The cumulative normal distribution {@code (1 + erf(x / √2)) / 2}. With {@code z = |x| / √2} and
   * {@code t = 1 / (1 + z/2)}, {@code erfc(z) = t * exp(P(t) - z²)}.
   */
  static FloatVector normalCdf(FloatVector x) {
    FloatVector z = x.abs().mul(SQRT_HALF);
    FloatVector t = constant(1).div(Lanes.fma(z, constant(0.5f), constant(1)));
    FloatVector p = Lanes.fma(t, constant(0.13535361f), constant(-0.628343701f));
    p = Lanes.fma(p, t, constant(1.03240907f));
    p = Lanes.fma(p, t, constant(-0.529631495f));
    p = Lanes.fma(p, t, constant(-0.219094515f));
    p = Lanes.fma(p, t, constant(0.0755825713f));
    p = Lanes.fma(p, t, constant(0.00912203919f));
    p = Lanes.fma(p, t, constant(0.392018437f));
    p = Lanes.fma(p, t, constant(0.998000622f));
    p = Lanes.fma(p, t, constant(-1.2654165f));
    FloatVector tail = t.mul(0.5f).mul(exp(p.sub(z.mul(z))));
    return constant(1).sub(tail).blend(tail, x.compare(LT, 0));
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(Lanes.FLOATS, value);
  }
}
