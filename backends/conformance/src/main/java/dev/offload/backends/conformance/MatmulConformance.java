package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;
import static dev.offload.backends.conformance.Assertions.assertEquals;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Matrix products, with weights in row-major and in the device's own order. */
interface MatmulConformance extends ConformanceTopic {

  /** Error relative to the sum of the magnitudes of the summands; it grows like a random walk. */
  static double share(DType x, DType weight, int inputs) {
    double sums = 0x1p-24 * (4 + 4 * Math.sqrt(inputs));
    // A device may first round the left operand to the format of the weight.
    return x != weight ? sums + Numbers.roundingShare(weight) + 0x1p-24 : sums;
  }

  private static int anyRows(DeviceFixture fixture) {
    return fixture.any(1, 2, 3, 4, 13, 32, 65);
  }

  private static int anySize(DeviceFixture fixture) {
    return fixture.any(1, 3, 4, 13, 16, 64, 207);
  }

  @Check
  default void shouldMultiply() {
    repeatForPairs(
        (fixture, first, second) -> {
          int inputs = anySize(fixture);
          int outputs = anySize(fixture);
          double[][] x = fixture.numbers(anyRows(fixture), inputs, 2, first);
          double[][] w = fixture.numbers(outputs, inputs, 2, second);
          double[] bias =
              fixture.random().nextBoolean()
                  ? fixture.numbers(1, outputs, 1, DType.F32)[0]
                  : new double[0];
          DType outType = fixture.anyDtype();
          Matrix out = fixture.output(outType, x.length, outputs);
          Weight weight = fixture.packed(fixture.weight(second, w));
          Matrix in = fixture.matrix(first, x);
          fixture
              .operations()
              .matmul(fixture.stream(), in, weight, vector(fixture, bias), false, out);
          ReferenceOperations.matmul(x, w, bias)
              .check(
                  fixture.read(out),
                  outType,
                  share(first, second, inputs),
                  "%s by %s weight".formatted(in, weight));
          fixture.expectUntouchedBut(out);
        });
  }

  @Check
  default void shouldMultiplyLargeMatrices() {
    for (DType dtype : DType.values()) {
      for (int rows : new int[] {1, 32, 67}) {
        repeat(
            1,
            fixture -> {
              double[][] x = fixture.numbers(rows, 960, 1, dtype);
              double[][] w = fixture.numbers(515, 960, 1, dtype);
              Matrix out = fixture.output(DType.F32, rows, 515);
              Weight weight = fixture.packed(fixture.weight(dtype, w));
              fixture
                  .operations()
                  .matmul(
                      fixture.stream(),
                      fixture.matrix(dtype, x),
                      weight,
                      Optional.empty(),
                      false,
                      out);
              ReferenceOperations.matmul(x, w, new double[0])
                  .check(fixture.read(out), DType.F32, share(dtype, dtype, 960), weight);
              fixture.expectUntouchedBut(out);
            });
      }
    }
  }

  @Check
  default void shouldMultiplyWholePanelsAlone() {
    for (DType dtype : DType.values()) {
      repeat(2, fixture -> checkPanels(fixture, dtype));
    }
  }

  private static void checkPanels(DeviceFixture fixture, DType dtype) {
    int outputs = 3 * Operations.PANEL_OUTPUTS + 7;
    int first = Operations.PANEL_OUTPUTS * fixture.any(1, 2);
    int inputs = fixture.any(13, 64, 207);
    double[][] x = fixture.numbers(anyRows(fixture), inputs, 1, dtype);
    double[][] w = fixture.numbers(outputs, inputs, 1, dtype);
    Weight all = fixture.packed(fixture.weight(dtype, w));
    Weight above = fixture.packed(fixture.weight(dtype, Arrays.copyOf(w, first)));
    Weight below = fixture.packed(fixture.weight(dtype, Arrays.copyOfRange(w, first, outputs)));
    Matrix in = fixture.matrix(dtype, x);
    Matrix whole = fixture.output(DType.F32, x.length, outputs);
    Matrix cut = fixture.output(DType.F32, x.length, outputs);
    multiply(fixture, in, all, whole);
    multiply(fixture, in, above, cut.columns(0, first));
    multiply(fixture, in, below, cut.columns(first, outputs - first));
    if (fixture.operations().multipliesPanelsExactly()) {
      assertArrayEquals(fixture.read(whole), fixture.read(cut));
    }
    ReferenceOperations.matmul(x, w, new double[0])
        .check(fixture.read(cut), DType.F32, share(dtype, dtype, inputs), below);
    long bytes = fixture.operations().packedBytes(dtype, outputs, inputs);
    assertEquals(
        bytes,
        fixture.operations().packedBytes(dtype, first, inputs)
            + fixture.operations().packedBytes(dtype, outputs - first, inputs));
    fixture.expectUntouchedBut(whole, cut);
  }

  private static void multiply(DeviceFixture fixture, Matrix x, Weight weight, Matrix out) {
    fixture.operations().matmul(fixture.stream(), x, weight, Optional.empty(), false, out);
  }

  @Check
  default void shouldAccumulate() {
    repeatForPairs(
        (fixture, first, second) -> {
          int inputs = anySize(fixture);
          int outputs = anySize(fixture);
          double[][] x = fixture.numbers(anyRows(fixture), inputs, 2, first);
          double[][] w = fixture.numbers(outputs, inputs, 2, second);
          double[][] held = fixture.numbers(x.length, outputs, 2, DType.F32);
          Matrix out = fixture.matrix(DType.F32, held);
          Weight weight = fixture.packed(fixture.weight(second, w));
          fixture
              .operations()
              .matmul(
                  fixture.stream(), fixture.matrix(first, x), weight, Optional.empty(), true, out);
          ReferenceOperations.matmul(x, w, new double[0])
              .plus(held)
              .check(fixture.read(out), DType.F32, share(first, second, inputs), weight);
          fixture.expectUntouchedBut(out);
        });
  }

  @Check
  default void shouldMultiplyGroupsOfRows() {
    repeatForPairs(
        (fixture, first, second) -> {
          int[] counts = {3, 0, 1, 13, 0, 2};
          int gap = fixture.any(0, 2);
          int inputs = anySize(fixture);
          int outputs = anySize(fixture);
          int rows = Arrays.stream(counts).sum() + gap * (counts.length + 1);
          double[][] x = fixture.numbers(rows, inputs, 2, first);
          Expected[] expected = new Expected[counts.length];
          List<WeightRows> groups = new ArrayList<>();
          List<Vector> biases = new ArrayList<>();
          boolean hasBias = fixture.random().nextBoolean();
          DType outType = fixture.anyDtype();
          Matrix out = fixture.output(outType, rows, outputs);
          List<Matrix> written = new ArrayList<>();
          int row = gap;
          for (int g = 0; g < counts.length; g++) {
            double[][] w = fixture.numbers(outputs, inputs, 2, second);
            double[] bias = hasBias ? fixture.numbers(1, outputs, 1, DType.F32)[0] : new double[0];
            vector(fixture, bias).ifPresent(biases::add);
            groups.add(new WeightRows(fixture.packed(fixture.weight(second, w)), row, counts[g]));
            expected[g] =
                ReferenceOperations.matmul(Arrays.copyOfRange(x, row, row + counts[g]), w, bias);
            written.add(out.rows(row, counts[g]));
            row += counts[g] + gap;
          }
          Matrix in = fixture.matrix(first, x);
          fixture.operations().groupedMatmul(fixture.stream(), in, groups, biases, out);
          double[][] got = fixture.read(out);
          for (int g = 0; g < counts.length; g++) {
            int from = groups.get(g).firstRow();
            expected[g].check(
                Arrays.copyOfRange(got, from, from + counts[g]),
                outType,
                share(first, second, inputs),
                "group " + g);
          }
          fixture.expectUntouchedBut(written.toArray(Matrix[]::new));
        });
  }

  private static Optional<Vector> vector(DeviceFixture fixture, double[] numbers) {
    return numbers.length == 0 ? Optional.empty() : Optional.of(fixture.vector(numbers));
  }

  @Check
  default void shouldRefuseProductsThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix x = fixture.output(DType.F32, 3, 5);
          Matrix out = fixture.output(DType.F32, 3, 4);
          Matrix few = fixture.output(DType.F32, 2, 4);
          Matrix half = fixture.output(DType.BF16, 3, 4);
          Weight weight = fixture.weight(DType.F32, new double[4][5]);
          Weight other = fixture.weight(DType.F32, new double[4][6]);
          Vector bias = fixture.vector(1, 2, 3);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Optional<Vector> none = Optional.empty();
          Refusals.expect("5", "6", () -> operations.matmul(stream, x, other, none, false, out));
          Refusals.expect("3", "2", () -> operations.matmul(stream, x, weight, none, false, few));
          Refusals.expect("4", "5", () -> operations.matmul(stream, x, weight, none, false, x));
          Refusals.expect(
              "3", "4", () -> operations.matmul(stream, x, weight, Optional.of(bias), false, out));
          Refusals.expect(
              "F32", "BF16", () -> operations.matmul(stream, x, weight, none, true, half));
          List<WeightRows> beyond = List.of(new WeightRows(weight, 2, 2));
          Refusals.expect(
              "2", "3", () -> operations.groupedMatmul(stream, x, beyond, List.of(), out));
          List<WeightRows> overlapping =
              List.of(new WeightRows(weight, 0, 2), new WeightRows(weight, 1, 2));
          Refusals.expect(
              "1", "2", () -> operations.groupedMatmul(stream, x, overlapping, List.of(), out));
          fixture.expectUntouchedBut();
        });
  }
}
