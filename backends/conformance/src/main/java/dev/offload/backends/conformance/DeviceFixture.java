package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.fail;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A device with one stream, for one test. Operands lie at odd offsets and row strides between guard
 * bytes that read as NaN in every format and as -1 as an integer: what is read outside an operand
 * spoils the result, and {@link #expectUntouchedBut} finds what is written outside.
 */
final class DeviceFixture implements AutoCloseable {
  private static final byte GUARD = (byte) 0xFF;
  private static final int GUARD_BYTES = 256;

  private final Device device;
  private final Stream stream;
  private final SplittableRandom random;
  private final List<Tracked> tracked = new ArrayList<>();

  DeviceFixture(Device device, long seed) {
    this.device = device;
    stream = device.newStream("test");
    random = new SplittableRandom(seed);
  }

  Device device() {
    return device;
  }

  Stream stream() {
    return stream;
  }

  Operations operations() {
    return device.operations();
  }

  SplittableRandom random() {
    return random;
  }

  /** Numbers between -range and range that the format can hold. */
  double[][] numbers(int rows, int columns, double range, DType dtype) {
    double[][] numbers = new double[rows][columns];
    for (double[] row : numbers) {
      for (int i = 0; i < columns; i++) {
        row[i] = Numbers.round(random.nextDouble(-range, range), dtype);
      }
    }
    return numbers;
  }

  /** One of the formats. */
  DType anyDtype() {
    List<DType> dtypes = List.of(DType.values());
    return dtypes.get(random.nextInt(dtypes.size()));
  }

  /** One of the given numbers. */
  int any(int... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** An input matrix; its numbers must be of the format. */
  Matrix matrix(DType dtype, double[][] numbers) {
    Matrix matrix = place(dtype, numbers.length, numbers[0].length);
    Tracked memory = find(matrix.buffer());
    for (int row = 0; row < matrix.rows(); row++) {
      for (int column = 0; column < matrix.columns(); column++) {
        Numbers.set(memory.image.segment(), at(matrix, row, column), dtype, numbers[row][column]);
      }
    }
    upload(memory);
    return matrix;
  }

  /** A matrix for results, full of NaN. */
  Matrix output(DType dtype, int rows, int columns) {
    Matrix matrix = place(dtype, rows, columns);
    upload(find(matrix.buffer()));
    return matrix;
  }

  private Matrix place(DType dtype, int rows, int columns) {
    int stride = columns + random.nextInt(0, 5);
    long offset = GUARD_BYTES + (long) random.nextInt(0, 9) * dtype.bytes();
    return new Matrix(
        track(offset + (long) rows * stride * dtype.bytes()), offset, dtype, rows, columns, stride);
  }

  Vector vector(double... numbers) {
    Vector vector =
        new Vector(track(GUARD_BYTES + 4L * numbers.length), GUARD_BYTES, numbers.length);
    Tracked memory = find(vector.buffer());
    for (int i = 0; i < numbers.length; i++) {
      memory.image.segment().set(JAVA_FLOAT_UNALIGNED, GUARD_BYTES + 4L * i, (float) numbers[i]);
    }
    upload(memory);
    return vector;
  }

  Indices indices(int... numbers) {
    Indices indices =
        new Indices(track(GUARD_BYTES + 4L * numbers.length), GUARD_BYTES, numbers.length);
    Tracked memory = find(indices.buffer());
    for (int i = 0; i < numbers.length; i++) {
      memory.image.segment().set(JAVA_INT_UNALIGNED, GUARD_BYTES + 4L * i, numbers[i]);
    }
    upload(memory);
    return indices;
  }

  /** A row-major weight. */
  Weight weight(DType dtype, double[][] numbers) {
    int outputs = numbers.length;
    int inputs = numbers[0].length;
    DeviceBuffer buffer = track(GUARD_BYTES + (long) outputs * inputs * dtype.bytes());
    Tracked memory = find(buffer);
    for (int row = 0; row < outputs; row++) {
      for (int column = 0; column < inputs; column++) {
        long offset = GUARD_BYTES + ((long) row * inputs + column) * dtype.bytes();
        Numbers.set(memory.image.segment(), offset, dtype, numbers[row][column]);
      }
    }
    upload(memory);
    return new Weight(buffer, GUARD_BYTES, dtype, outputs, inputs, false);
  }

  /** The weight in the order in which the device wants it. */
  Weight packed(Weight weight) {
    if (!operations().packs(weight.dtype(), weight.outputs(), weight.inputs())) {
      return weight;
    }
    long bytes = operations().packedBytes(weight.dtype(), weight.outputs(), weight.inputs());
    DeviceBuffer buffer = track(GUARD_BYTES + bytes);
    upload(find(buffer));
    Weight packed =
        new Weight(buffer, GUARD_BYTES, weight.dtype(), weight.outputs(), weight.inputs(), true);
    operations().pack(stream, weight, packed);
    expectUntouchedBut(new Written(buffer, GUARD_BYTES, bytes));
    return packed;
  }

  /** Blocks of a KV cache, full of NaN. */
  KvBlocks kvBlocks(KvBlocks.Format format, int blocks) {
    long bytes = blocks * operations().kvBlockBytes(format);
    DeviceBuffer buffer = track(GUARD_BYTES + bytes);
    upload(find(buffer));
    return new KvBlocks(buffer, GUARD_BYTES, blocks, format);
  }

  double[][] read(Matrix matrix) {
    Tracked memory = find(matrix.buffer());
    download(memory);
    double[][] numbers = new double[matrix.rows()][matrix.columns()];
    for (int row = 0; row < matrix.rows(); row++) {
      for (int column = 0; column < matrix.columns(); column++) {
        numbers[row][column] =
            Numbers.get(memory.now.segment(), at(matrix, row, column), matrix.dtype());
      }
    }
    return numbers;
  }

  int[] read(Indices indices) {
    Tracked memory = find(indices.buffer());
    download(memory);
    int[] numbers = new int[indices.length()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = memory.now.segment().get(JAVA_INT_UNALIGNED, indices.offset() + 4L * i);
    }
    return numbers;
  }

  /** Bytes that an operation may have written. */
  record Written(DeviceBuffer buffer, long offset, long bytes) {
    static Written whole(KvBlocks cache, long blockBytes) {
      return new Written(cache.buffer(), cache.offset(), cache.blocks() * blockBytes);
    }

    static Written of(Indices indices) {
      return new Written(indices.buffer(), indices.offset(), 4L * indices.length());
    }
  }

  /**
   * Fails if any byte of any operand or around it changed since it was made or last checked, other
   * than the numbers of the outputs.
   */
  void expectUntouchedBut(Matrix... outputs) {
    List<Written> runs = new ArrayList<>();
    for (Matrix output : outputs) {
      addRuns(output, runs);
    }
    compareAllBut(runs);
  }

  /** As above, with an output that is no matrix. */
  void expectUntouchedBut(Written other, Matrix... outputs) {
    List<Written> runs = new ArrayList<>(List.of(other));
    for (Matrix output : outputs) {
      addRuns(output, runs);
    }
    compareAllBut(runs);
  }

  private static void addRuns(Matrix output, List<Written> runs) {
    for (int row = 0; row < output.rows(); row++) {
      runs.add(
          new Written(
              output.buffer(),
              at(output, row, 0),
              (long) output.columns() * output.dtype().bytes()));
    }
  }

  private void compareAllBut(List<Written> runs) {
    for (Tracked memory : tracked) {
      BitSet written = new BitSet();
      for (Written run : runs) {
        if (run.buffer == memory.buffer) {
          written.set((int) run.offset, (int) (run.offset + run.bytes));
        }
      }
      download(memory);
      compareAllBut(memory, written);
      memory.image.segment().copyFrom(memory.now.segment());
    }
  }

  private static void compareAllBut(Tracked memory, BitSet written) {
    int end = (int) memory.buffer.bytes();
    for (int i = written.nextClearBit(0); i < end; i = written.nextClearBit(i + 1)) {
      byte before = memory.image.segment().get(JAVA_BYTE, i);
      byte after = memory.now.segment().get(JAVA_BYTE, i);
      if (before != after) {
        fail(
            "byte %d of a buffer of %d, outside all outputs, changed from %02x to %02x"
                .formatted(i, end, before, after));
      }
    }
  }

  private static long at(Matrix matrix, int row, int column) {
    return matrix.offset() + ((long) row * matrix.rowStride() + column) * matrix.dtype().bytes();
  }

  private DeviceBuffer track(long bytes) {
    long all = bytes + GUARD_BYTES;
    DeviceBuffer buffer = device.allocate("test operand", all);
    PinnedBuffer image = device.allocatePinned("test operand", all);
    image.segment().fill(GUARD);
    tracked.add(new Tracked(buffer, image, device.allocatePinned("test operand", all)));
    return buffer;
  }

  private Tracked find(DeviceBuffer buffer) {
    return tracked.stream().filter(memory -> memory.buffer == buffer).findFirst().orElseThrow();
  }

  private void upload(Tracked memory) {
    stream.copyToDevice(memory.image, 0, memory.buffer, 0, memory.buffer.bytes());
  }

  private void download(Tracked memory) {
    stream.copyToHost(memory.buffer, 0, memory.now, 0, memory.buffer.bytes());
    stream.synchronize();
  }

  @Override
  public void close() {
    stream.close();
    for (Tracked memory : tracked) {
      memory.buffer.close();
      memory.image.close();
      memory.now.close();
    }
    device.close();
  }

  /** Device memory, what was put there, and room for what is there now. */
  private record Tracked(DeviceBuffer buffer, PinnedBuffer image, PinnedBuffer now) {}
}
