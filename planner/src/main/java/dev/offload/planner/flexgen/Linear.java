package dev.offload.planner.flexgen;

import java.util.EnumMap;
import java.util.Map;

/** A linear expression in the nine shares. Immutable. */
final class Linear {
  /** What the program decides. */
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
  private final Map<Share, Double> coefficients;

  private Linear(double constant, Map<Share, Double> coefficients) {
    this.constant = constant;
    this.coefficients = coefficients;
  }

  static Linear of(double constant) {
    return new Linear(constant, new EnumMap<>(Share.class));
  }

  /** {@code factor} times the sum of these shares. */
  static Linear of(double factor, Share... shares) {
    Linear sum = of(0);
    for (Share share : shares) {
      sum.coefficients.merge(share, factor, Double::sum);
    }
    return sum;
  }

  Linear plus(Linear other) {
    Map<Share, Double> sums = new EnumMap<>(coefficients);
    other.coefficients.forEach((share, factor) -> sums.merge(share, factor, Double::sum));
    return new Linear(constant + other.constant, sums);
  }

  Linear over(double divisor) {
    Map<Share, Double> quotients = new EnumMap<>(coefficients);
    quotients.replaceAll((_, factor) -> factor / divisor);
    return new Linear(constant / divisor, quotients);
  }

  /** The expression's value. */
  double at(Map<Share, Double> shares) {
    double value = constant;
    for (Map.Entry<Share, Double> term : coefficients.entrySet()) {
      value += term.getValue() * shares.get(term.getKey());
    }
    return value;
  }

  /** The largest of the constant and the coefficients, all of which are 0 or more here. */
  double largest() {
    return Math.max(
        constant, coefficients.values().stream().mapToDouble(Double::doubleValue).max().orElse(0));
  }

  double constant() {
    return constant;
  }

  double coefficient(Share share) {
    return coefficients.getOrDefault(share, 0.0);
  }
}
