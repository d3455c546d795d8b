package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertEquals;
import static dev.offload.backends.conformance.Assertions.fail;

import dev.offload.tensors.DType;

/**
 * The right result of an operation and what size its summands had: errors of a sum are judged by
 * the size of what was summed, not by what is left after cancelling.
 */
final class Expected {
  private final double[][] values;
  private final double[][] sizes;

  Expected(double[][] values, double[][] sizes) {
    this.values = values;
    this.sizes = sizes;
  }

  /** A result whose error is judged by its own size. */
  static Expected of(double[][] values) {
    double[][] sizes = new double[values.length][];
    for (int row = 0; row < values.length; row++) {
      sizes[row] = new double[values[row].length];
      for (int i = 0; i < sizes[row].length; i++) {
        sizes[row][i] = Math.abs(values[row][i]);
      }
    }
    return new Expected(values, sizes);
  }

  /** This result added to something. */
  Expected plus(double[][] held) {
    return new Expected(
        ReferenceOperations.sum(values, held),
        ReferenceOperations.sum(sizes, ReferenceOperations.map(held, Math::abs)));
  }

  double[][] values() {
    return values;
  }

  /**
   * Fails if a number is further off than {@code share} of its size plus the rounding of the
   * format.
   *
   * @param share allowed error of the operation itself
   */
  void check(double[][] actual, DType dtype, double share, Object description) {
    assertEquals(values.length, actual.length, "rows");
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < values[row].length; column++) {
        double want = values[row][column];
        double got = actual[row][column];
        double allowed =
            share * sizes[row][column]
                + 1.01 * Numbers.roundingShare(dtype) * Math.abs(want)
                + Numbers.smallestStep(dtype);
        if (!(Math.abs(got - want) <= allowed)) {
          fail(
              "%s: row %d column %d is %s, should be %s within %.3g"
                  .formatted(description, row, column, got, want, allowed));
        }
      }
    }
  }
}
