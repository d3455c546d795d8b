package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every {@link MatrixProduct} does, checked against sums in double precision. */
abstract class MatrixProductContract {
  private static final byte CANARY = 0x5a;
  private static final int GAP = 7;

  private Arena arena;
  private WorkerPool workers;
  private MatrixProduct product;

  abstract MatrixProduct newProduct(WorkerPool workers);

  @BeforeEach
  void open() {
    arena = Arena.ofShared();
    workers = new WorkerPool(2);
    product = newProduct(workers);
  }

  @AfterEach
  void close() {
    if (product != null) { // newProduct may have skipped the test
      product.close();
    }
    workers.close();
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 64, 16",
    "1, 65, 31",
    "2, 130, 961",
    "3, 17, 127",
    "4, 960, 64",
    "6, 63, 97",
    "7, 127, 192",
    "8, 31, 130",
    "13, 200, 96",
    "17, 128, 65",
    "31, 1, 300",
    "64, 64, 64",
    "127, 3, 130",
    "128, 130, 17",
    "129, 65, 33",
    "130, 961, 3",
    "300, 96, 100",
    "2, 70, 513",
    "5, 65, 1100",
    "1, 200, 512",
    "3, 70, 1024",
    "4, 64, 600",
    "33, 64, 2049"
  })
  void shouldMultiplyAllFormatsAndSizes(int rows, int outputs, int inputs) {
    for (DType weights : DType.values()) {
      Operands operands = new Operands(rows, outputs, inputs, weights, 42);
      Matrix x = operands.x(product.input(weights), inputs);
      Matrix out = operands.out(DType.F32, outputs);
      product.multiply(x, operands.whole(), List.of(), false, out);
      operands.check(x, out, false, false);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldReadAndWriteAllFormatsWithGapsBetweenRows(DType format) {
    for (DType weights : DType.values()) {
      for (int rows : new int[] {1, 5, 33}) {
        Operands operands = new Operands(rows, 100, 70, weights, 43);
        Matrix x = operands.x(format, 70 + GAP);
        Matrix out = operands.out(format, 100 + GAP);
        product.multiply(x, operands.whole(), List.of(), false, out);
        operands.check(x, out, false, false);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldAddABias(DType format) {
    for (int outputs : new int[] {17, 64, 130}) {
      Operands operands = new Operands(9, outputs, 50, DType.BF16, 44);
      Matrix x = operands.x(product.input(DType.BF16), 50);
      Matrix out = operands.out(format, outputs + GAP);
      product.multiply(x, operands.whole(), operands.biases(1), false, out);
      operands.check(x, out, true, false);
    }
  }

  @ParameterizedTest
  @CsvSource({"3, BF16", "9, F32", "9, BF16", "9, F16", "37, F32", "37, BF16", "37, F16"})
  void shouldAddToWhatWasThere(int rows, DType weights) {
    for (boolean bias : new boolean[] {false, true}) {
      Operands operands = new Operands(rows, 130, 50, weights, 45);
      Matrix x = operands.x(DType.F32, 50);
      Matrix out = operands.out(DType.F32, 130 + GAP);
      operands.fillOut(out);
      product.multiply(x, operands.whole(), operands.biases(bias ? 1 : 0), true, out);
      operands.check(x, out, bias, true);
    }
  }

  @Test
  void shouldMultiplyGroupsAndLeaveOtherRowsAlone() {
    for (DType format : new DType[] {DType.F32, DType.BF16}) {
      Operands operands = new Operands(190, 130, 50, DType.BF16, 46);
      Matrix x = operands.x(format, 50 + GAP);
      Matrix out = operands.out(DType.F32, 130 + GAP);
      List<WeightRows> groups =
          List.of(
              operands.group(0, 3, 1),
              operands.group(1, 4, 0),
              operands.group(2, 4, 135),
              operands.group(3, 150, 17),
              operands.group(4, 180, 10));
      product.multiply(x, groups, operands.biases(groups.size()), false, out);
      operands.check(x, out, groups, true, false);
    }
  }

  @Test
  void shouldDoNothingForEmptyGroups() {
    Operands operands = new Operands(4, 64, 32, DType.F32, 47);
    Matrix x = operands.x(DType.F32, 32);
    Matrix out = operands.out(DType.F32, 64);
    List<WeightRows> groups = List.of(operands.group(0, 2, 0), operands.group(1, 4, 0));
    product.multiply(x, groups, List.of(), false, out);
    operands.check(x, out, groups, false, false);
  }

  @Test
  void shouldGiveTheSameBitsForAnyNumberOfThreadsAndAnyPlaceOfTheWeights() {
    for (DType weights : DType.values()) {
      for (int rows : new int[] {1, 4, 37, 137}) {
        Operands operands = new Operands(rows, 420, 1100, weights, 48);
        Matrix x = operands.x(product.input(weights), 1100);
        byte[] expected = null;
        for (int threads : new int[] {1, 2, 5}) {
          try (WorkerPool pool = new WorkerPool(threads);
              MatrixProduct other = newProduct(pool)) {
            Matrix out = operands.out(DType.F32, 420);
            other.multiply(x, operands.copied(threads * 64L), List.of(), false, out);
            byte[] bits = operands.bytes(out);
            expected = expected == null ? bits : expected;
            assertArrayEquals(expected, bits, weights + " with " + threads + " threads");
          }
        }
      }
    }
  }

  @Test
  void shouldServeSeveralStreamsAtOnce() {
    Operands operands = new Operands(40, 130, 200, DType.BF16, 49);
    Matrix x = operands.x(product.input(DType.BF16), 200);
    List<Matrix> outs = new ArrayList<>();
    List<CpuStream> streams = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      CpuStream stream = new CpuStream("s" + i, workers, closed -> {});
      streams.add(stream);
      for (int j = 0; j < 20; j++) {
        Matrix out = operands.out(DType.F32, 130);
        outs.add(out);
        stream.submit(() -> product.multiply(x, operands.whole(), List.of(), false, out));
      }
    }
    streams.forEach(CpuStream::close);
    outs.forEach(out -> operands.check(x, out, false, false));
  }

  /** Random operands, the packed weights of five groups, and the expected result. */
  private final class Operands {
    private static final int GROUPS = 5;

    private final Random random;
    private final int rows;
    private final int outputs;
    private final int inputs;
    private final DType dtype;
    private final List<Weight> packed = new ArrayList<>();
    private final List<double[]> weights = new ArrayList<>();
    private final Vector[] biases = new Vector[GROUPS];

    Operands(int rows, int outputs, int inputs, DType dtype, long seed) {
      this.rows = rows;
      this.outputs = outputs;
      this.inputs = inputs;
      this.dtype = dtype;
      random = new Random(seed);
      for (int i = 0; i < GROUPS; i++) {
        addWeight();
        CpuBuffer buffer = newBuffer(4L * outputs + 4);
        biases[i] = new Vector(buffer, 4, outputs);
        for (int j = 0; j < outputs; j++) {
          write(buffer.segment(), 4 + 4L * j, DType.F32, random.nextFloat() * 4 - 2);
        }
      }
    }

    private void addWeight() {
      long bytes = (long) outputs * inputs * dtype.bytes();
      CpuBuffer rowMajor = newBuffer(64 + bytes);
      double[] values = new double[outputs * inputs];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            write(
                rowMajor.segment(), 64 + (long) i * dtype.bytes(), dtype, random.nextFloat() - 0.5);
      }
      Weight from = new Weight(rowMajor, 64, dtype, outputs, inputs, false);
      weights.add(values);
      if (!product.packs(dtype, outputs, inputs)) {
        packed.add(from);
        return;
      }
      long packedBytes = product.packedBytes(dtype, outputs, inputs);
      CpuBuffer buffer = newBuffer(128 + packedBytes + 64);
      buffer.segment().fill(CANARY);
      Weight to = new Weight(buffer, 128, dtype, outputs, inputs, true);
      product.pack(from, to);
      assertCanaries(buffer.segment().asSlice(0, 128));
      assertCanaries(buffer.segment().asSlice(128 + packedBytes));
      packed.add(to);
    }

    List<WeightRows> whole() {
      return List.of(group(0, 0, rows));
    }

    WeightRows group(int weight, int firstRow, int count) {
      return new WeightRows(packed.get(weight), firstRow, count);
    }

    /** As {@link #whole}, with the weights moved elsewhere. */
    List<WeightRows> copied(long offset) {
      Weight weight = packed.getFirst();
      long bytes = product.packedBytes(dtype, outputs, inputs);
      CpuBuffer copy = newBuffer(offset + bytes);
      MemorySegment.copy(
          CpuBuffer.segment(weight.buffer()), weight.offset(), copy.segment(), offset, bytes);
      return List.of(
          new WeightRows(
              new Weight(copy, offset, dtype, outputs, inputs, weight.packed()), 0, rows));
    }

    List<Vector> biases(int count) {
      return List.of(biases).subList(0, count);
    }

    Matrix x(DType format, int stride) {
      Matrix matrix = newMatrix(format, inputs, stride);
      fill(matrix);
      return matrix;
    }

    /** Filled with canaries. */
    Matrix out(DType format, int stride) {
      return newMatrix(format, outputs, stride);
    }

    void fillOut(Matrix out) {
      fill(out);
    }

    private Matrix newMatrix(DType format, int columns, int stride) {
      int margin = 3;
      CpuBuffer buffer = newBuffer((long) (rows * stride + 2 * margin) * format.bytes());
      buffer.segment().fill(CANARY);
      return new Matrix(buffer, (long) margin * format.bytes(), format, rows, columns, stride);
    }

    private void fill(Matrix matrix) {
      MemorySegment segment = CpuBuffer.segment(matrix.buffer());
      for (int i = 0; i < matrix.rows(); i++) {
        for (int j = 0; j < matrix.columns(); j++) {
          write(segment, position(matrix, i, j), matrix.dtype(), random.nextFloat() * 2 - 1);
        }
      }
    }

    byte[] bytes(Matrix out) {
      return CpuBuffer.segment(out.buffer()).toArray(ValueLayout.JAVA_BYTE);
    }

    void check(Matrix x, Matrix out, boolean bias, boolean accumulated) {
      check(x, out, whole(), bias, accumulated);
    }

    /** What {@link #fillOut} wrote is repeated from the seed: it is the last thing drawn. */
    void check(Matrix x, Matrix out, List<WeightRows> groups, boolean bias, boolean accumulated) {
      double[] before = accumulated ? repeatFill(out) : null;
      boolean[] written = new boolean[rows];
      for (int g = 0; g < groups.size(); g++) {
        WeightRows group = groups.get(g);
        double[] weight = weights.get(packed.indexOf(group.weight()));
        for (int row = group.firstRow(); row < group.firstRow() + group.rows(); row++) {
          written[row] = true;
          checkRow(x, out, row, weight, bias ? biases[g] : null, before);
        }
      }
      checkUntouched(out, written);
    }

    private double[] repeatFill(Matrix out) {
      Operands same = new Operands(rows, outputs, inputs, dtype, 45);
      same.x(DType.F32, inputs);
      Matrix copy = same.out(out.dtype(), out.rowStride());
      same.fillOut(copy);
      double[] values = new double[rows * outputs];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            read(
                CpuBuffer.segment(copy.buffer()),
                position(copy, i / outputs, i % outputs),
                copy.dtype());
      }
      return values;
    }

    private void checkRow(
        Matrix x, Matrix out, int row, double[] weight, Vector bias, double[] before) {
      MemorySegment from = CpuBuffer.segment(x.buffer());
      double[] left = new double[inputs];
      boolean rounded = x.dtype() != DType.BF16 && product.input(dtype) == DType.BF16;
      for (int k = 0; k < inputs; k++) {
        left[k] = read(from, position(x, row, k), x.dtype());
      }
      for (int column = 0; column < outputs; column++) {
        double sum = 0;
        double magnitude = 0;
        for (int k = 0; k < inputs; k++) {
          double term = left[k] * weight[column * inputs + k];
          sum += term;
          magnitude += Math.abs(term);
        }
        if (bias != null) {
          double addend =
              read(CpuBuffer.segment(bias.buffer()), bias.offset() + 4L * column, DType.F32);
          sum += addend;
          magnitude += Math.abs(addend);
        }
        if (before != null) {
          sum += before[row * outputs + column];
          magnitude += Math.abs(before[row * outputs + column]);
        }
        double actual =
            read(CpuBuffer.segment(out.buffer()), position(out, row, column), out.dtype());
        double bound =
            magnitude * ((inputs + 2) * 0x1p-24 + (rounded ? roundingOf(DType.BF16) : 0))
                + Math.abs(sum) * roundingOf(out.dtype())
                + 1e-30;
        assertEquals(
            sum, actual, bound, () -> "%d x %d x %d %s".formatted(rows, outputs, inputs, dtype));
      }
    }

    private void checkUntouched(Matrix out, boolean[] written) {
      MemorySegment segment = CpuBuffer.segment(out.buffer());
      long size = out.dtype().bytes();
      long previousEnd = 0;
      for (int row = 0; row < rows; row++) {
        if (written[row]) {
          long start = position(out, row, 0);
          if (row == 0 || !written[row - 1] || out.rowStride() > outputs) {
            assertFreeOfResults(segment, previousEnd, start, out);
          }
          previousEnd = start + outputs * size;
        }
      }
      assertFreeOfResults(segment, previousEnd, segment.byteSize(), out);
    }

    private void assertFreeOfResults(MemorySegment segment, long from, long to, Matrix out) {
      assertTrue(to <= segment.byteSize(), () -> "rows of " + out);
      assertCanaries(segment.asSlice(from, to - from));
    }
  }

  private static void assertCanaries(MemorySegment segment) {
    for (long i = 0; i < segment.byteSize(); i++) {
      assertEquals(CANARY, segment.get(ValueLayout.JAVA_BYTE, i), "byte " + i);
    }
  }

  private CpuBuffer newBuffer(long bytes) {
    return new CpuBuffer(arena.allocate(bytes, 4096), () -> {});
  }

  private static long position(Matrix matrix, int row, int column) {
    return matrix.offset() + ((long) row * matrix.rowStride() + column) * matrix.dtype().bytes();
  }

  private static double roundingOf(DType dtype) {
    return switch (dtype) {
      case F32 -> 0x1p-24;
      case F16 -> 0x1p-11;
      case BF16 -> 0x1p-8;
    };
  }

  /** Returns the value as rounded to the format. */
  private static double write(MemorySegment segment, long offset, DType dtype, double value) {
    switch (dtype) {
      case F32 -> segment.set(ValueLayout.JAVA_FLOAT, offset, (float) value);
      case F16 -> segment.set(ValueLayout.JAVA_SHORT, offset, Float.floatToFloat16((float) value));
      case BF16 ->
          segment.set(
              ValueLayout.JAVA_SHORT,
              offset,
              (short) (Float.floatToRawIntBits((float) value) >>> 16));
    }
    return read(segment, offset, dtype);
  }

  private static double read(MemorySegment segment, long offset, DType dtype) {
    return switch (dtype) {
      case F32 -> segment.get(ValueLayout.JAVA_FLOAT, offset);
      case F16 -> Float.float16ToFloat(segment.get(ValueLayout.JAVA_SHORT, offset));
      case BF16 -> Float.intBitsToFloat(segment.get(ValueLayout.JAVA_SHORT, offset) << 16);
    };
  }
}
