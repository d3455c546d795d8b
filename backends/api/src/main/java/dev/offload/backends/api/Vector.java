package dev.offload.backends.api;

/**
 * F32 numbers in device memory (norm weights, biases, factors): a view, which owns nothing.
 *
 * @param buffer where
 * @param offset byte offset, a multiple of 4
 * @param length how many
 */
public record Vector(DeviceBuffer buffer, long offset, int length) {
  public Vector {
    if (offset < 0 || offset % 4 != 0 || length < 0 || offset + 4L * length > buffer.bytes()) {
      throw new IllegalArgumentException(
          "vector of %d F32 at byte %d does not fit a buffer of %d bytes"
              .formatted(length, offset, buffer.bytes()));
    }
  }
}
