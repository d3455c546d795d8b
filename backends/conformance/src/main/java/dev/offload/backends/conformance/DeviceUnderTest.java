package dev.offload.backends.conformance;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;

/** A way to open the device that is checked. */
public interface DeviceUnderTest {

  /** Opens the device afresh, with these budgets; the check closes it. */
  Device open(DeviceOptions options);

  /** CPU threads for the device. */
  default int threads() {
    return 2;
  }
}
