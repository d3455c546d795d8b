package dev.offload.backends.conformance;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;

/**
 * The contract test that every device passes: a backend subclasses it once for each way to open a
 * device. Operands are random, of odd sizes, in every format, at odd places between guard bytes;
 * each operation declares the error it may make.
 */
public abstract class DeviceConformance
    implements MemoryConformance,
        StreamConformance,
        MatmulConformance,
        RowConformance,
        NormConformance,
        ActivationConformance,
        RopeConformance,
        AttentionConformance,
        RoutingConformance {

  @Override
  public abstract Device open(DeviceOptions options);

  @Override
  public int threads() {
    return 2;
  }
}
