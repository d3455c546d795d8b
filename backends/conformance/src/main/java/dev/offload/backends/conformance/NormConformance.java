package dev.offload.backends.conformance;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.tensors.DType;
import java.util.Optional;

/** Normalisations. Error: {@value #SHARE} of the normalised number before the bias. */
interface NormConformance extends ConformanceTopic {
  double SHARE = 4e-6;

  private static int anyColumns(DeviceFixture fixture) {
    return fixture.any(1, 3, 4, 13, 64, 207, 960, 4098);
  }

  @Check
  default void shouldNormaliseRows() {
    repeatForPairs(
        (fixture, from, to) -> {
          int columns = anyColumns(fixture);
          Case norm = Case.any(fixture, columns, true);
          double[][] x =
              fixture.numbers(fixture.any(1, 3, 40), columns, fixture.any(1, 1000), from);
          Matrix out = fixture.output(to, x.length, columns);
          fixture.operations().norm(fixture.stream(), fixture.matrix(from, x), norm.spec, out);
          norm.expected(x).check(fixture.read(out), to, SHARE, norm.spec);
          fixture.expectUntouchedBut(out);
        });
  }

  @Check
  default void shouldNormaliseInPlace() {
    for (DType dtype : DType.values()) {
      repeat(
          4,
          fixture -> {
            int columns = anyColumns(fixture);
            Case norm = Case.any(fixture, columns, true);
            double[][] x = fixture.numbers(fixture.any(1, 3, 40), columns, 2, dtype);
            Matrix matrix = fixture.matrix(dtype, x);
            fixture.operations().norm(fixture.stream(), matrix, norm.spec, matrix);
            norm.expected(x).check(fixture.read(matrix), dtype, SHARE, norm.spec);
            fixture.expectUntouchedBut(matrix);
          });
    }
  }

  @Check
  default void shouldNormaliseZerosToTheBias() {
    repeat(
        2,
        fixture -> {
          Case norm = Case.any(fixture, 65, true);
          double[][] x = new double[3][65];
          Matrix out = fixture.output(DType.F32, 3, 65);
          fixture.operations().norm(fixture.stream(), fixture.matrix(DType.F32, x), norm.spec, out);
          norm.expected(x).check(fixture.read(out), DType.F32, SHARE, norm.spec);
        });
  }

  @Check
  default void shouldAddAndNormalise() {
    repeatForPairs(
        (fixture, from, to) -> {
          int columns = anyColumns(fixture);
          Case norm = Case.any(fixture, columns, true);
          int rows = fixture.any(1, 3, 40);
          double[][] x = fixture.numbers(rows, columns, 2, DType.F32);
          double[][] y = fixture.numbers(rows, columns, 2, from);
          Matrix residual = fixture.matrix(DType.F32, x);
          Matrix out = fixture.output(to, rows, columns);
          fixture
              .operations()
              .addNorm(fixture.stream(), residual, fixture.matrix(from, y), norm.spec, out);
          Expected sum = Expected.of(ReferenceOperations.sum(x, y));
          sum.check(fixture.read(residual), DType.F32, 0x1p-23, "residual");
          norm.expected(fixture.read(residual)).check(fixture.read(out), to, SHARE, norm.spec);
          fixture.expectUntouchedBut(residual, out);
        });
  }

  @Check
  default void shouldNormaliseHeads() {
    for (DType dtype : DType.values()) {
      repeat(
          6,
          fixture -> {
            int heads = fixture.any(1, 3, 8);
            int width = fixture.any(1, 13, 64, 128);
            Case norm = Case.any(fixture, width, false);
            double[][] x = fixture.numbers(fixture.any(1, 3, 40), heads * width, 2, dtype);
            Matrix matrix = fixture.matrix(dtype, x);
            fixture.operations().headNorm(fixture.stream(), matrix, heads, norm.spec);
            Expected.of(
                    ReferenceOperations.headNorm(
                        x, heads, norm.weight, norm.spec.epsilon(), norm.spec.unitOffset()))
                .check(fixture.read(matrix), dtype, SHARE, norm.spec);
            fixture.expectUntouchedBut(matrix);
          });
    }
  }

  @Check
  default void shouldRefuseNormsOfAnotherWidth() {
    repeat(
        1,
        fixture -> {
          Case norm = Case.any(fixture, 6, false);
          Matrix x = fixture.output(DType.F32, 3, 5);
          Matrix half = fixture.output(DType.BF16, 3, 6);
          Matrix y = fixture.output(DType.F32, 3, 6);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect("6", "5", () -> operations.norm(stream, x, norm.spec, x));
          Refusals.expect("2", "5", () -> operations.headNorm(stream, x, 2, norm.spec));
          Refusals.expect("F32", "BF16", () -> operations.addNorm(stream, half, y, norm.spec, y));
          fixture.expectUntouchedBut();
        });
  }

  /** A norm, for the device and for the reference. */
  final class Case {
    private final NormSpec spec;
    private final double[] weight;
    private final double[] bias;

    private Case(NormSpec spec, double[] weight, double[] bias) {
      this.spec = spec;
      this.weight = weight;
      this.bias = bias;
    }

    static Case any(DeviceFixture fixture, int columns, boolean mayHaveBias) {
      double[] weight = fixture.numbers(1, columns, 2, DType.F32)[0];
      boolean hasBias = mayHaveBias && fixture.random().nextBoolean();
      double[] bias = hasBias ? fixture.numbers(1, columns, 1, DType.F32)[0] : new double[0];
      NormSpec spec =
          new NormSpec(
              fixture.vector(weight),
              hasBias ? Optional.of(fixture.vector(bias)) : Optional.empty(),
              fixture.any(5, 6) == 5 ? 1e-5f : 1e-6f,
              fixture.random().nextBoolean());
      return new Case(spec, weight, bias);
    }

    Expected expected(double[][] x) {
      return ReferenceOperations.norm(x, weight, bias, spec.epsilon(), spec.unitOffset());
    }
  }
}
