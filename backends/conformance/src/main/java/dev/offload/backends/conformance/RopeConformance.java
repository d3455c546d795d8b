package dev.offload.backends.conformance;

import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;

/** Rotary position embedding. Error: a few units in the last place of F32. */
interface RopeConformance extends ConformanceTopic {
  double SHARE = 3e-7;

  @Check
  default void shouldRotateHeads() {
    for (DType dtype : DType.values()) {
      for (boolean interleaved : new boolean[] {false, true}) {
        repeat(8, fixture -> check(fixture, dtype, interleaved));
      }
    }
  }

  private static void check(DeviceFixture fixture, DType dtype, boolean interleaved) {
    int dimensions = 2 * fixture.any(1, 3, 8, 20, 32, 64);
    int width = dimensions + fixture.any(0, 0, 1, 16);
    int heads = fixture.any(1, 3, 15);
    int rows = fixture.any(1, 3, 40);
    double[][] x = fixture.numbers(rows, heads * width, 4, dtype);
    double[][] cosSin = fixture.numbers(rows, dimensions, 1, DType.F32);
    Matrix matrix = fixture.matrix(dtype, x);
    fixture
        .operations()
        .rope(
            fixture.stream(),
            matrix,
            heads,
            dimensions,
            interleaved,
            fixture.matrix(DType.F32, cosSin));
    ReferenceOperations.rope(x, heads, dimensions, interleaved, cosSin)
        .check(fixture.read(matrix), dtype, SHARE, "rope of " + dimensions + " in " + width);
    fixture.expectUntouchedBut(matrix);
  }

  @Check
  default void shouldRefuseFactorsThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix x = fixture.output(DType.F32, 3, 24);
          Matrix factors = fixture.output(DType.F32, 3, 8);
          Matrix few = fixture.output(DType.F32, 2, 8);
          Matrix wide = fixture.output(DType.F32, 3, 10);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect("5", "24", () -> operations.rope(stream, x, 5, 4, false, factors));
          Refusals.expect("8", "10", () -> operations.rope(stream, x, 3, 8, false, wide));
          Refusals.expect("2", "3", () -> operations.rope(stream, x, 3, 8, false, few));
          Refusals.expect("10", "8", () -> operations.rope(stream, x, 3, 10, false, wide));
          fixture.expectUntouchedBut();
        });
  }
}
