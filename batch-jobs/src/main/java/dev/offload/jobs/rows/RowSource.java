package dev.offload.jobs.rows;

import java.io.IOException;
import java.util.Optional;

/** The rows of a file one by one, never the whole file in memory. Owned by one thread. */
public interface RowSource extends AutoCloseable {
  /** The next row, or empty at the end of the file. */
  Optional<RawRow> next() throws IOException;

  /** Rows returned so far. */
  long rowsRead();

  /** How far in the file that is, in bytes of it. */
  long bytesRead();

  @Override
  void close() throws IOException;
}
