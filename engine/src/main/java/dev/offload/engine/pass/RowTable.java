package dev.offload.engine.pass;

import java.lang.foreign.MemorySegment;

/** A lookup table on the host: token or position embeddings. Thread-safe. */
public interface RowTable {

  /** Numbers per row. */
  int columns();

  /** Writes a row as F32. */
  void read(int row, MemorySegment to, long offset);
}
