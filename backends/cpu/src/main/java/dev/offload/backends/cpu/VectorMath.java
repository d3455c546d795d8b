package dev.offload.backends.cpu;

import static dev.offload.backends.cpu.Lanes.FLOATS;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Transcendental functions of arrays, to within 1e-6 relative. Counts are multiples of the vector
 * length. The polynomials were fitted by reweighted least squares on Chebyshev nodes against
 * 40-digit values.
 *
 * <p>Everything takes arrays, and loops call nothing but the Vector API: a vector that crosses a
 * call which the compiler does not merge into the caller becomes an object, and in large methods it
 * merges only what is marked for it. With functions of vectors, attention was five times slower.
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

  private static final int SIGN = 0x80000000;

  private VectorMath() {}

  /** {@code x = e^x}; results below the smallest normal number are 0. */
  static void exp(float[] x, int at, int count) {
    exp(x, at, count, 1);
  }

  /**
   * {@code x = e^(factor * x)}. Two vectors at a time hide the latency of the polynomial; and they
   * make this too large to be merged into callers, which then would be too large themselves.
   */
  private static void exp(float[] x, int at, int count, float factor) {
    int last = at + count - Lanes.COUNT;
    for (int i = at; i <= last; i += 2 * Lanes.COUNT) {
      int j = Math.min(i + Lanes.COUNT, last);
      FloatVector u = FloatVector.fromArray(FLOATS, x, i).mul(factor);
      FloatVector v = FloatVector.fromArray(FLOATS, x, j).mul(factor);
      FloatVector uRounded = u.fma(broadcast(FLOATS, LOG2_E), broadcast(FLOATS, ROUNDER));
      FloatVector vRounded = v.fma(broadcast(FLOATS, LOG2_E), broadcast(FLOATS, ROUNDER));
      FloatVector r = uRounded.sub(ROUNDER).fma(broadcast(FLOATS, -LN2_HIGH), u);
      FloatVector s = vRounded.sub(ROUNDER).fma(broadcast(FLOATS, -LN2_HIGH), v);
      r = uRounded.sub(ROUNDER).fma(broadcast(FLOATS, -LN2_LOW), r);
      s = vRounded.sub(ROUNDER).fma(broadcast(FLOATS, -LN2_LOW), s);
      FloatVector p = r.fma(broadcast(FLOATS, 0.00831247773f), broadcast(FLOATS, 0.0418905504f));
      FloatVector q = s.fma(broadcast(FLOATS, 0.00831247773f), broadcast(FLOATS, 0.0418905504f));
      p = p.fma(r, broadcast(FLOATS, 0.166671157f));
      q = q.fma(s, broadcast(FLOATS, 0.166671157f));
      p = p.fma(r, broadcast(FLOATS, 0.499992281f));
      q = q.fma(s, broadcast(FLOATS, 0.499992281f));
      p = p.fma(r, broadcast(FLOATS, 1f)).fma(r, broadcast(FLOATS, 1f));
      q = q.fma(s, broadcast(FLOATS, 1f)).fma(s, broadcast(FLOATS, 1f));
      // The power of two goes straight into the exponent: 2^128 times something below 1 still fits.
      IntVector uBits = p.reinterpretAsInts().add(uRounded.reinterpretAsInts().lanewise(LSHL, 23));
      IntVector vBits = q.reinterpretAsInts().add(vRounded.reinterpretAsInts().lanewise(LSHL, 23));
      uBits
          .reinterpretAsFloats()
          .blend(0f, u.compare(LT, EXP_UNDERFLOW))
          .blend(Float.POSITIVE_INFINITY, u.compare(GT, EXP_OVERFLOW))
          .intoArray(x, i);
      vBits
          .reinterpretAsFloats()
          .blend(0f, v.compare(LT, EXP_UNDERFLOW))
          .blend(Float.POSITIVE_INFINITY, v.compare(GT, EXP_OVERFLOW))
          .intoArray(x, j);
    }
  }

  /** {@code x = 1 / (1 + e^-x)}. */
  static void sigmoid(float[] x, int at, int count) {
    exp(x, at, count, -1);
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      broadcast(FLOATS, 1f).div(FloatVector.fromArray(FLOATS, x, i).add(1f)).intoArray(x, i);
    }
  }

  /**
   * {@code x = tanh(x)}.
   *
   * @param scratch {@code count} numbers
   */
  static void tanh(float[] x, int at, int count, float[] scratch) {
    for (int i = 0; i < count; i += Lanes.COUNT) {
      FloatVector.fromArray(FLOATS, x, at + i)
          .reinterpretAsInts()
          .and(~SIGN)
          .reinterpretAsFloats()
          .intoArray(scratch, i);
    }
    exp(scratch, 0, count, 2);
    for (int i = 0; i < count; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
      FloatVector power = FloatVector.fromArray(FLOATS, scratch, i);
      FloatVector quotient = broadcast(FLOATS, 1f).sub(broadcast(FLOATS, 2f).div(power.add(1f)));
      IntVector sign = v.reinterpretAsInts().and(SIGN);
      FloatVector large = quotient.reinterpretAsInts().or(sign).reinterpretAsFloats();
      FloatVector z = v.mul(v);
      FloatVector p = z.fma(broadcast(FLOATS, -0.00515511492f), broadcast(FLOATS, 0.0201116595f));
      p = p.fma(z, broadcast(FLOATS, -0.0535669886f));
      p = p.fma(z, broadcast(FLOATS, 0.133292437f));
      p = p.fma(z, broadcast(FLOATS, -0.333331972f));
      FloatVector small = p.mul(z).fma(v, v);
      large.blend(small, z.compare(LT, TANH_SMALL * TANH_SMALL)).intoArray(x, at + i);
    }
  }

  /**
   * The cumulative normal distribution {@code x = (1 + erf(x / √2)) / 2}. With {@code z = |x| / √2}
   * and {@code t = 1 / (1 + z/2)}, {@code erfc(z) = t * exp(P(t) - z²)}.
   *
   * @param scratch {@code count} numbers
   */
  static void normalCdf(float[] x, int at, int count, float[] scratch) {
    for (int i = 0; i < count; i += Lanes.COUNT) {
      FloatVector z =
          FloatVector.fromArray(FLOATS, x, at + i)
              .reinterpretAsInts()
              .and(~SIGN)
              .reinterpretAsFloats()
              .mul(SQRT_HALF);
      FloatVector t =
          broadcast(FLOATS, 1f).div(z.fma(broadcast(FLOATS, 0.5f), broadcast(FLOATS, 1f)));
      FloatVector p = t.fma(broadcast(FLOATS, 0.13535361f), broadcast(FLOATS, -0.628343701f));
      p = p.fma(t, broadcast(FLOATS, 1.03240907f));
      p = p.fma(t, broadcast(FLOATS, -0.529631495f));
      p = p.fma(t, broadcast(FLOATS, -0.219094515f));
      p = p.fma(t, broadcast(FLOATS, 0.0755825713f));
      p = p.fma(t, broadcast(FLOATS, 0.00912203919f));
      p = p.fma(t, broadcast(FLOATS, 0.392018437f));
      p = p.fma(t, broadcast(FLOATS, 0.998000622f));
      p = p.fma(t, broadcast(FLOATS, -1.2654165f));
      p.sub(z.mul(z)).intoArray(scratch, i);
    }
    exp(scratch, 0, count, 1);
    for (int i = 0; i < count; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
      FloatVector z = v.reinterpretAsInts().and(~SIGN).reinterpretAsFloats().mul(SQRT_HALF);
      FloatVector t =
          broadcast(FLOATS, 1f).div(z.fma(broadcast(FLOATS, 0.5f), broadcast(FLOATS, 1f)));
      FloatVector tail = t.mul(0.5f).mul(FloatVector.fromArray(FLOATS, scratch, i));
      broadcast(FLOATS, 1f).sub(tail).blend(tail, v.compare(LT, 0f)).intoArray(x, at + i);
    }
  }
}
