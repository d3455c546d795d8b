package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/** Where the numbers of parameters come from. Thread-safe. */
public interface WeightSource {
  /**
   * Writes all rows of a parameter, row-major, converted (to the nearest, ties to even).
   *
   * @param as number format wanted
   * @param to exactly {@code parameter.elements() * as.bytes()} bytes
   * @throws IllegalArgumentException if {@code to} has another size
   */
  void read(Parameter parameter, DType as, MemorySegment to);

  /** Refuses a target of the wrong size. */
  static void checkSize(Parameter parameter, DType as, MemorySegment to) {
    long expected = parameter.elements() * as.bytes();
    if (to.byteSize() != expected) {
      throw new IllegalArgumentException(
          "%s as %s takes %d bytes, not %d"
              .formatted(parameter.role(), as, expected, to.byteSize()));
    }
  }
}
