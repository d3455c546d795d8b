package dev.offload.engine.weights;

import java.lang.foreign.MemorySegment;

/** Where the bytes of units come from. Thread-safe. */
public interface UnitFiller extends AutoCloseable {

  /** Writes a unit in the given row-major layout, while the model is loaded. */
  void fill(UnitLayout layout, MemorySegment to, long offset);

  /**
   * Reads a unit in the given row-major layout from its files, during a pass.
   *
   * @return bytes read from files
   */
  long read(UnitLayout layout, MemorySegment to, long offset);

  @Override
  void close();
}
