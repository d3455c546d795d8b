package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertThrows;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;

/**
 * Activations. Error: {@value #SHARE} of the input, times the gated number where there is a gate.
 */
interface ActivationConformance extends ConformanceTopic {
  double SHARE = 2e-6;

  @Check
  default void shouldActivate() {
    repeatForPairs(
        (fixture, from, to) -> {
          for (Activation activation : Activation.values()) {
            if (activation != Activation.CLAMPED_SWIGLU) {
              check(fixture, activation, false, from, to);
            }
          }
        });
  }

  @Check
  default void shouldActivateWithAGate() {
    repeatForPairs(
        (fixture, from, to) -> {
          for (Activation activation : Activation.values()) {
            check(fixture, activation, true, from, to);
          }
        });
  }

  private static void check(
      DeviceFixture fixture, Activation activation, boolean gated, DType from, DType to) {
    int width = fixture.any(1, 3, 13, 64, 207);
    int rows = fixture.any(1, 4, 13);
    double[][] x = fixture.numbers(rows, gated ? 2 * width : width, fixture.any(1, 8, 100), from);
    Matrix out = fixture.output(to, rows, width);
    fixture
        .operations()
        .activate(fixture.stream(), fixture.matrix(from, x), activation, gated, out);
    double[][] values = ReferenceOperations.activate(x, activation, gated);
    double[][] sizes = new double[rows][width];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < width; i++) {
        double up = gated ? Math.abs(x[row][width + i]) + 1 : 1;
        sizes[row][i] = Math.min(Math.abs(x[row][i]) * up, Math.abs(values[row][i]) + 1e-3 * up);
      }
    }
    new Expected(values, sizes).check(fixture.read(out), to, SHARE, activation);
    fixture.expectUntouchedBut(out);
  }

  @Check
  default void shouldRefuseWidthsThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix x = fixture.output(DType.F32, 3, 8);
          Matrix out = fixture.output(DType.F32, 3, 5);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect(
              "8", "10", () -> operations.activate(stream, x, Activation.SILU, true, out));
          Refusals.expect(
              "8", "5", () -> operations.activate(stream, x, Activation.SILU, false, out));
          assertThrows(
              IllegalArgumentException.class,
              () -> operations.activate(stream, x, Activation.CLAMPED_SWIGLU, false, x));
          fixture.expectUntouchedBut();
        });
  }
}
