package dev.offload.engine.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import java.lang.foreign.MemorySegment;

/** Where the bytes of units come from. Thread-safe. */
public interface UnitFiller extends AutoCloseable {

  /**
   * Writes a parameter row-major, while the model is loaded.
   *
   * @param to exactly as long as the parameter is in the format wanted
   */
  void fill(Parameter parameter, DType as, MemorySegment to);

  /**
   * Reads a unit in the given row-major layout from its files, during a pass.
   *
   * @return bytes read from files
   */
  long read(UnitLayout layout, MemorySegment to, long offset);

  @Override
  void close();
}
