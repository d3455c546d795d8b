package dev.offload.planner.flexgen;

import java.util.Arrays;

/** A linear expression in the nine shares. Immutable. */
final class Linear {
  /** The shares, in the order of the coefficients. */
  enum Share {
    WEIGHTS_GPU,
    WEIGHTS_CPU,
    WEIGHTS_DISK,
    CACHE_GPU,
    CACHE_CPU,
    CACHE_DISK,
    HIDDEN_GPU,
    HIDDEN_CPU,
    HIDDEN_DISK
  }

  private final double constant;
  private final double[] coefficients;

  private Linear(double constant, double[] coefficients) {
    this.constant = constant;
    this.coefficients = coefficients;
  }

  static Linear of(double constant) {
    return new Linear(constant, new double[Share.values().length]);
  }

  /** {@code factor} times the sum of these shares. */
  static Linear of(double factor, Share... shares) {
    Linear sum = of(0);
    for (Share share : shares) {
      sum.coefficients[share.ordinal()] += factor;
    }
    return sum;
  }

  Linear plus(Linear other) {
    double[] sums = new double[coefficients.length];
    Arrays.setAll(sums, i -> coefficients[i] + other.coefficients[i]);
    return new Linear(constant + other.constant, sums);
  }

  Linear over(double divisor) {
    double[] quotients = new double[coefficients.length];
    Arrays.setAll(quotients, i -> coefficients[i] / divisor);
    return new Linear(constant / divisor, quotients);
  }

  double constant() {
    return constant;
  }

  double coefficient(Share share) {
    return coefficients[share.ordinal()];
  }
}
