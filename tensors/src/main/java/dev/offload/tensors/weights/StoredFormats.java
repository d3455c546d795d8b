package dev.offload.tensors.weights;

import dev.offload.tensors.DType;

/**
 * What is known of the checkpoint while units are listed: the files themselves, or only a config.
 */
interface StoredFormats {
  /** Whether a tensor may be there. */
  boolean has(String tensor);

  /**
   * Checks that the part's tensor is there in the shape it expects.
   *
   * @return its number format
   */
  DType check(Role role, Part part);
}
