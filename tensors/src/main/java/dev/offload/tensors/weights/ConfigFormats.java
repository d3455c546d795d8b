package dev.offload.tensors.weights;

import dev.offload.tensors.DType;

/** Formats as a configuration promises them, where there are no files. */
record ConfigFormats(DType stored) implements StoredFormats {
  @Override
  public boolean has(String tensor) {
    return true;
  }

  @Override
  public DType check(Role role, Part part) {
    return role == Role.ROUTER_CORRECTION ? DType.F32 : stored;
  }
}
