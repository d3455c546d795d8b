package dev.offload.backends.api;

import dev.offload.tensors.DType;

/**
 * The right operand of a matrix product in device memory: a view, which owns nothing.
 *
 * @param buffer where
 * @param offset byte offset, a multiple of 64
 * @param dtype number format
 * @param outputs rows as stored, columns of the product
 * @param inputs columns as stored, columns of the left operand
 * @param packed in the device's own order (see {@link Operations#pack}) instead of row-major
 *     [outputs, inputs]
 */
public record Weight(
    DeviceBuffer buffer, long offset, DType dtype, int outputs, int inputs, boolean packed) {
  public Weight {
    if (offset < 0 || offset % 64 != 0 || outputs < 1 || inputs < 1) {
      throw new IllegalArgumentException(
          "weight of %d x %d %s at byte offset %d is not possible"
              .formatted(outputs, inputs, dtype, offset));
    }
  }
}
