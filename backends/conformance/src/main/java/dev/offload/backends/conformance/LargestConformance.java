package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;
import static dev.offload.backends.conformance.Assertions.fail;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.tensors.DType;
import java.util.Arrays;
import java.util.Optional;

/** The largest numbers of rows, and sums of exponentials: error {@value #SHARE}. */
interface LargestConformance extends ConformanceTopic {
  double SHARE = 2e-6;

  @Check
  default void shouldFindTheLargest() {
    repeat(
        24,
        fixture -> {
          int columns = fixture.any(1, 4, 13, 64, 207, 257, 4098, 30_011);
          int count = Math.min(columns, fixture.any(1, 2, 5, 20, 64));
          int rows = columns > 5000 ? 2 : fixture.any(1, 3, 20);
          double range = fixture.any(1, 10, 80);
          check(fixture, fixture.numbers(rows, columns, range, DType.F32), count);
        });
  }

  @Check
  default void shouldTakeTheLowerColumnOfEqualNumbers() {
    repeat(
        8,
        fixture -> {
          double[][] x =
              ReferenceOperations.map(
                  fixture.numbers(10, fixture.any(30, 900, 2000), 3, DType.F32), Math::rint);
          Arrays.fill(x[0], -1);
          Arrays.fill(x[1], 0);
          check(fixture, x, fixture.any(1, 7, 30));
        });
  }

  @Check
  default void shouldPutNanFirstAndStandInfinity() {
    repeat(
        8,
        fixture -> {
          double[][] x = fixture.numbers(6, fixture.any(20, 700), 3, DType.F32);
          int last = x[0].length - 1;
          x[0][last] = Double.NaN;
          x[1][7] = Double.NaN;
          x[1][3] = Double.POSITIVE_INFINITY;
          x[2][last] = Double.POSITIVE_INFINITY;
          Arrays.fill(x[3], Double.NEGATIVE_INFINITY);
          Arrays.fill(x[4], Double.NEGATIVE_INFINITY);
          x[4][11] = -2.5;
          Arrays.fill(x[5], -Float.MAX_VALUE);
          check(fixture, x, fixture.any(1, 5, 20));
        });
  }

  @Check
  default void shouldRefuseLargestThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix x = fixture.output(DType.F32, 3, 8);
          Matrix found = fixture.output(DType.F32, 3, 2);
          Matrix most = fixture.output(DType.F32, 3, 9);
          Matrix half = fixture.output(DType.F16, 3, 8);
          Indices places = fixture.indices(new int[6]);
          Indices few = fixture.indices(new int[5]);
          Indices many = fixture.indices(new int[27]);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Optional<Matrix> none = Optional.empty();
          Refusals.expect("8", "9", () -> operations.largest(stream, x, most, many, none));
          Refusals.expect("5", "6", () -> operations.largest(stream, x, found, few, none));
          Refusals.expect(
              "F16", "F32", () -> operations.largest(stream, half, found, places, none));
          Refusals.expect(
              "2", "1", () -> operations.largest(stream, x, found, places, Optional.of(found)));
          fixture.expectUntouchedBut();
        });
  }

  private static void check(DeviceFixture fixture, double[][] x, int count) {
    Matrix found = fixture.output(DType.F32, x.length, count);
    Matrix sums = fixture.output(DType.F32, x.length, 1);
    boolean summed = fixture.random().nextBoolean();
    int[] nowhere = new int[x.length * count];
    Arrays.fill(nowhere, -7);
    Indices places = fixture.indices(nowhere);
    fixture
        .operations()
        .largest(
            fixture.stream(),
            fixture.matrix(DType.F32, x),
            found,
            places,
            summed ? Optional.of(sums) : Optional.empty());
    int[] gotPlaces = fixture.read(places);
    double[][] gotNumbers = fixture.read(found);
    double[][] gotSums = fixture.read(sums);
    for (int row = 0; row < x.length; row++) {
      String what = "row %d of %d x %d".formatted(row, x.length, x[0].length);
      int[] want = ReferenceOperations.largest(x[row], count);
      int[] got = Arrays.copyOfRange(gotPlaces, row * count, (row + 1) * count);
      assertArrayEquals(want, got, () -> what);
      for (int j = 0; j < count; j++) {
        if (Double.compare(0.0 + x[row][want[j]], 0.0 + gotNumbers[row][j]) != 0) {
          fail(what + ": " + gotNumbers[row][j] + " in place of " + x[row][want[j]]);
        }
      }
      if (summed && Double.isFinite(x[row][want[0]])) {
        double[][] wantSum = {{ReferenceOperations.sumOfExponentials(x[row])}};
        Expected.of(wantSum).check(new double[][] {gotSums[row]}, DType.F32, SHARE, what);
      }
    }
    DeviceFixture.Written written = DeviceFixture.Written.of(places);
    if (summed) {
      fixture.expectUntouchedBut(written, found, sums);
    } else {
      fixture.expectUntouchedBut(written, found);
    }
  }
}
