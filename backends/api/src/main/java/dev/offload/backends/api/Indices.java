package dev.offload.backends.api;

/**
 * 32-bit integers in device memory: a view, which owns nothing.
 *
 * @param buffer where
 * @param offset byte offset, a multiple of 4
 * @param length how many
 */
public record Indices(DeviceBuffer buffer, long offset, int length) {
  public Indices {
    if (offset < 0 || offset % 4 != 0 || length < 0 || offset + 4L * length > buffer.bytes()) {
      throw new IllegalArgumentException(
          "%d indices at byte %d do not fit a buffer of %d bytes"
              .formatted(length, offset, buffer.bytes()));
    }
  }
}
