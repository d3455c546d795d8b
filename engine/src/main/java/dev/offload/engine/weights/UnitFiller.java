package dev.offload.engine.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.FileRange;
import dev.offload.tensors.weights.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.List;

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

  /**
   * Where a parameter lies in files that stay mapped, if it lies there row-major in the format
   * wanted and is to be used where it is.
   *
   * @return from top to bottom; empty if it is to be filled
   */
  default List<FileRange> mapped(Parameter parameter, DType as) {
    return List.of();
  }

  /** The bytes of files that {@link #mapped} named: read-only, alive as long as the model. */
  default MemorySegment bytes(FileRange range) {
    throw new IllegalStateException("these weights are in no file such as " + range.file());
  }

  @Override
  void close();
}
