package dev.offload.engine;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.junit.UsableBackend;
import dev.offload.backends.opencl.OpenClBackend;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * A device that runs a model, and one that computes in host memory.
 *
 * @param host rounds as the device does where {@link #hostRoundsAlike}
 */
record TestDevices(Device device, Device host) implements AutoCloseable {
  /** The processor, whose device memory is the host's. */
  static final String CPU = "cpu";

  /**
   * An OpenCL device, whose memory is apart from the host's even where it is a processor; the host
   * computes by OpenCL too.
   */
  static final String OPENCL = "opencl";

  /** An NVIDIA device; the host computes on the processor, which rounds otherwise. */
  static final String CUDA = "cuda";

  /** What an NVIDIA device would run, on the processor; the host computes as for one. */
  static final String EMULATED_CUDA = "emulated-cuda";

  /** The host computes in the device's pinned memory; beside it a stream takes 64 MiB. */
  private static final long HOST_SCRATCH_BYTES = 1L << 29;

  /** Opens them, or skips the test where the backend cannot be used. */
  static TestDevices open(String backend, long deviceMemory, long hostMemory, int threads) {
    DeviceOptions options = new DeviceOptions(0, deviceMemory, hostMemory, threads);
    if (backend.equals(EMULATED_CUDA)) {
      return withProcessor(openEmulated(options), threads);
    }
    Backend usable = UsableBackend.orSkip(backend);
    DeviceOptions host = new DeviceOptions(0, HOST_SCRATCH_BYTES, 0, threads);
    if (backend.equals(OPENCL)) {
      Device device = OpenClBackend.withSeparateMemory().open(options);
      return new TestDevices(device, usable.open(host));
    }
    if (backend.equals(CUDA)) {
      return withProcessor(usable.open(options), threads);
    }
    Device device = usable.open(options);
    return new TestDevices(device, device);
  }

  /** As users have it: whatever the device is, the host computes as the processor does. */
  static TestDevices openWithProcessor(
      String backend, long deviceMemory, long hostMemory, int threads) {
    Backend usable = UsableBackend.orSkip(backend);
    DeviceOptions options = new DeviceOptions(0, deviceMemory, hostMemory, threads);
    return withProcessor(
        backend.equals(OPENCL)
            ? OpenClBackend.withSeparateMemory().open(options)
            : usable.open(options),
        threads);
  }

  /** It is among the tests of backends/cuda, which Surefire adds to the class path. */
  private static Device openEmulated(DeviceOptions options) {
    Optional<?> device;
    try {
      device =
          (Optional<?>)
              Class.forName("dev.offload.backends.cuda.EmulatedCuda")
                  .getMethod("open", DeviceOptions.class, Path.class)
                  .invoke(null, options, Path.of("target/emulated"));
    } catch (ClassNotFoundException e) {
      return Assumptions.abort("the tests of backends/cuda are not here");
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("EmulatedCuda cannot be opened", e);
    }
    Assumptions.assumeTrue(device.isPresent(), "no g++ on the PATH");
    return (Device) device.get();
  }

  private static TestDevices withProcessor(Device device, int threads) {
    DeviceOptions host = new DeviceOptions(0, HOST_SCRATCH_BYTES, 0, threads);
    return new TestDevices(device, UsableBackend.orSkip(CPU).open(host));
  }

  /** Whether the host's results are the device's to the bit. */
  static boolean hostRoundsAlike(String backend) {
    return !backend.equals(CUDA) && !backend.equals(EMULATED_CUDA);
  }

  @Override
  public void close() {
    if (host != device) {
      host.close();
    }
    device.close();
  }
}
