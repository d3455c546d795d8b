package dev.offload.jobs;

import dev.offload.backends.api.Device;

/**
 * The device that a model runs on, and the one that computes in host memory beside it: the same
 * where the device shares the host's memory, else the processor.
 */
record OpenedDevices(Device device, Device host) implements AutoCloseable {

  /** What operations of the processor may work in beside a device with other memory. */
  static final long HOST_SCRATCH_BYTES = 32L << 20;

  /** Opens both, with the budgets of the options. The caller closes them. */
  static OpenedDevices open(BudgetOptions machine) throws RefusedException {
    // What the host computes with is the device's pinned memory; beside it needs only scratch.
    return open(machine, machine.deviceMemory(), machine.hostMemory(), HOST_SCRATCH_BYTES, 0);
  }

  /**
   * Opens both to be measured: beside a device with other memory the processor gets as much of the
   * host's as that. The caller closes them.
   */
  static OpenedDevices toMeasure(BudgetOptions machine, long deviceBytes, long hostBytes)
      throws RefusedException {
    return open(machine, deviceBytes, hostBytes, hostBytes, hostBytes);
  }

  private static OpenedDevices open(
      BudgetOptions machine,
      long deviceBytes,
      long hostBytes,
      long processorBytes,
      long processorPinnedBytes)
      throws RefusedException {
    Device device = machine.device().open(deviceBytes, hostBytes, machine.threads());
    try {
      Device host =
          device.facts().sharesHostMemory()
              ? device
              : DeviceFinder.processor()
                  .open(processorBytes, processorPinnedBytes, machine.threads());
      return new OpenedDevices(device, host);
    } catch (RefusedException | RuntimeException | Error e) {
      device.close();
      throw e;
    }
  }

  @Override
  public void close() {
    if (host != device) {
      host.close();
    }
    device.close();
  }
}
