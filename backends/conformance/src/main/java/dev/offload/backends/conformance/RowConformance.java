package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;
import static dev.offload.backends.conformance.Assertions.assertThrows;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Conversions, sums and gathered rows. */
interface RowConformance extends ConformanceTopic {

  private static int anyRows(DeviceFixture fixture) {
    return fixture.any(1, 3, 4, 13, 207);
  }

  private static int anyColumns(DeviceFixture fixture) {
    return fixture.any(1, 3, 16, 63, 64, 65, 960);
  }

  @Check
  default void shouldConvertBetweenAllFormats() {
    repeatForPairs(
        (fixture, from, to) -> {
          double[][] x =
              fixture.numbers(anyRows(fixture), anyColumns(fixture), fixture.any(1, 60000), from);
          Matrix in = fixture.matrix(from, x);
          Matrix out = fixture.output(to, in.rows(), in.columns());
          fixture.operations().convert(fixture.stream(), in, out);
          double[][] rounded = ReferenceOperations.map(x, v -> Numbers.round(v, to));
          assertEqualNumbers(rounded, fixture.read(out));
          fixture.expectUntouchedBut(out);
        });
  }

  @Check
  default void shouldRoundTiesToEvenAndKeepTheExtremes() {
    double[] extremes = {
      0.0,
      -0.0,
      1 + 0x1p-8,
      1 + 0x1p-7 + 0x1p-8,
      -1 - 0x1p-8,
      1 + 0x1p-11,
      1 + 0x1p-10 + 0x1p-11,
      0x1p-24,
      0x1p-25,
      65504,
      65519,
      65520,
      3.4e38,
      -3.4e38,
      Double.POSITIVE_INFINITY,
      Double.NEGATIVE_INFINITY,
      Double.NaN,
      0x1p-126,
      0x1p-133
    };
    double[][] x = new double[2][extremes.length];
    for (int i = 0; i < extremes.length; i++) {
      x[0][i] = (float) extremes[i];
      x[1][extremes.length - 1 - i] = (float) extremes[i];
    }
    for (DType to : DType.values()) {
      repeat(
          1,
          fixture -> {
            Matrix out = fixture.output(to, 2, extremes.length);
            fixture.operations().convert(fixture.stream(), fixture.matrix(DType.F32, x), out);
            double[][] rounded = ReferenceOperations.map(x, v -> Numbers.round(v, to));
            assertEqualNumbers(rounded, fixture.read(out));
          });
    }
  }

  @Check
  default void shouldAddInPlace() {
    repeatForPairs(
        (fixture, first, second) -> {
          int rows = anyRows(fixture);
          int columns = anyColumns(fixture);
          double[][] x = fixture.numbers(rows, columns, 3, first);
          double[][] y = fixture.numbers(rows, columns, 3, second);
          Matrix sum = fixture.matrix(first, x);
          fixture.operations().add(fixture.stream(), sum, fixture.matrix(second, y));
          Expected.of(ReferenceOperations.sum(x, y))
              .check(fixture.read(sum), first, 0x1p-23, "add");
          fixture.expectUntouchedBut(sum);
        });
  }

  @Check
  default void shouldGatherRows() {
    repeatForPairs(
        (fixture, from, to) -> {
          double[][] table = fixture.numbers(anyRows(fixture), anyColumns(fixture), 3, from);
          int[] chosen = fixture.random().ints(fixture.any(1, 5, 64), 0, table.length).toArray();
          Matrix out = fixture.output(to, chosen.length, table[0].length);
          fixture
              .operations()
              .gatherRows(
                  fixture.stream(), fixture.matrix(from, table), fixture.indices(chosen), out);
          double[][] rows = IntStream.of(chosen).mapToObj(i -> table[i]).toArray(double[][]::new);
          assertEqualNumbers(
              ReferenceOperations.map(rows, v -> Numbers.round(v, to)), fixture.read(out));
          fixture.expectUntouchedBut(out);
        });
  }

  @Check
  default void shouldCapSoftly() {
    for (DType dtype : DType.values()) {
      repeat(
          4,
          fixture -> {
            double[][] x =
                fixture.numbers(anyRows(fixture), anyColumns(fixture), fixture.any(1, 300), dtype);
            Matrix matrix = fixture.matrix(dtype, x);
            fixture.operations().softCap(fixture.stream(), matrix, 30);
            Expected.of(ReferenceOperations.map(x, v -> 30 * Math.tanh(v / 30)))
                .check(fixture.read(matrix), dtype, 1e-6, "soft cap");
            fixture.expectUntouchedBut(matrix);
          });
    }
  }

  @Check
  default void shouldScaleRowsBySigmoid() {
    repeatForPairs(
        (fixture, first, second) -> {
          int rows = anyRows(fixture);
          double[][] x = fixture.numbers(rows, anyColumns(fixture), 3, first);
          double[][] gate = fixture.numbers(rows, 1, fixture.any(1, 20), second);
          Matrix matrix = fixture.matrix(first, x);
          fixture
              .operations()
              .scaleRowsBySigmoid(fixture.stream(), matrix, fixture.matrix(second, gate));
          double[][] scaled = new double[rows][];
          for (int row = 0; row < rows; row++) {
            double factor = ReferenceOperations.sigmoid(gate[row][0]);
            scaled[row] = Arrays.stream(x[row]).map(v -> v * factor).toArray();
          }
          Expected.of(scaled).check(fixture.read(matrix), first, 1e-6, "scale by sigmoid");
          fixture.expectUntouchedBut(matrix);
        });
  }

  @Check
  default void shouldDoNothingWithoutRows() {
    repeat(
        1,
        fixture -> {
          Matrix some = fixture.matrix(DType.F32, fixture.numbers(3, 5, 1, DType.F32));
          Matrix none = some.rows(3, 0);
          fixture.operations().convert(fixture.stream(), none, none);
          fixture.operations().add(fixture.stream(), none, none);
          fixture.expectUntouchedBut();
        });
  }

  @Check
  default void shouldRefuseMatricesOfDifferentSizes() {
    repeat(
        1,
        fixture -> {
          Matrix a = fixture.output(DType.F32, 3, 5);
          Matrix b = fixture.output(DType.F32, 3, 6);
          Matrix c = fixture.output(DType.F32, 4, 5);
          Indices indices = fixture.indices(0, 1);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect("5", "6", () -> operations.add(stream, a, b));
          Refusals.expect("3", "4", () -> operations.convert(stream, a, c));
          Refusals.expect("2", "3", () -> operations.gatherRows(stream, c, indices, a));
          Refusals.expect("5", "1", () -> operations.scaleRowsBySigmoid(stream, a, a));
          assertThrows(
              IllegalArgumentException.class, () -> operations.softCap(stream, a, Float.NaN));
          fixture.expectUntouchedBut();
        });
  }

  private static void assertEqualNumbers(double[][] want, double[][] got) {
    for (int row = 0; row < want.length; row++) {
      assertArrayEquals(want[row], got[row]);
    }
  }
}
