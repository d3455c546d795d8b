package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Vector;
import java.lang.foreign.MemorySegment;

/** Reads small operands of operations out of device memory; when the operation runs, not before. */
final class CpuOperands {
  private CpuOperands() {}

  /** The first {@code length} integers. */
  static int[] array(Indices indices, int length) {
    int[] numbers = new int[length];
    MemorySegment.copy(
        CpuBuffer.segment(indices.buffer()), JAVA_INT, indices.offset(), numbers, 0, length);
    return numbers;
  }

  /** Writes integers from {@code first} on. */
  static void store(int[] numbers, int count, Indices indices, int first) {
    MemorySegment.copy(
        numbers,
        0,
        CpuBuffer.segment(indices.buffer()),
        JAVA_INT,
        indices.offset() + 4L * first,
        count);
  }

  /** The numbers, padded with zeros to whole vectors. */
  static float[] array(Vector vector) {
    float[] numbers = new float[Lanes.padded(vector.length())];
    MemorySegment.copy(
        CpuBuffer.segment(vector.buffer()),
        JAVA_FLOAT,
        vector.offset(),
        numbers,
        0,
        vector.length());
    return numbers;
  }
}
