package dev.offload.engine.weights;

import dev.offload.backends.api.PinnedBuffer;

/**
 * A part of a granule in host memory, copied to the device at once.
 *
 * @param from where it lies
 * @param offset its first byte there
 * @param imageOffset its first byte in the granule
 * @param bytes its length
 */
record HostPiece(PinnedBuffer from, long offset, long imageOffset, long bytes) {
  /** Whether another piece goes on where this one ends, on both sides. */
  boolean endsAt(HostPiece next) {
    return from == next.from
        && offset + bytes == next.offset
        && imageOffset + bytes == next.imageOffset;
  }

  /** This piece and the one that goes on behind it. */
  HostPiece and(HostPiece next) {
    return new HostPiece(from, offset, imageOffset, bytes + next.bytes);
  }
}
