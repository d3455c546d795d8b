package dev.offload.tensors.checkpoint;

import java.nio.file.Path;

/**
 * Bytes of a weight file, one after the other.
 *
 * @param file which
 * @param offset the first
 * @param bytes how many
 */
public record FileRange(Path file, long offset, long bytes) {
  /** The byte behind the last. */
  public long end() {
    return offset + bytes;
  }
}
