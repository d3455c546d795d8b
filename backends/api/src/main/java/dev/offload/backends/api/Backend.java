package dev.offload.backends.api;

import java.util.List;
import java.util.Optional;

/** A kind of device, found with {@link java.util.ServiceLoader}. Stateless. */
public interface Backend {

  /**
   * Short lower-case name as given to {@code --device}: {@code cpu}, {@code cuda}, {@code opencl}.
   */
  String name();

  /** Why it cannot be used on this machine, with the remedy; empty if it can. */
  Optional<String> unusableReason();

  /**
   * The devices there are, in the order of their indices; none is opened. Empty where the backend
   * is not usable.
   */
  List<DeviceDescription> devices();

  /**
   * Bytes of a device's own memory that an open device takes beside its budget: the driver's
   * context, libraries, scratch. Who promises that the process stays within a size opens the device
   * with so much less. It may be measured by opening the device for a moment.
   *
   * @param index of the device
   * @throws IllegalStateException if the backend is not usable here
   * @throws IllegalArgumentException if there is no such device
   */
  default long overheadBytes(int index) {
    return 0;
  }

  /**
   * Opens a device. The caller closes it, after everything it allocated and every stream.
   *
   * @throws IllegalStateException if the backend is not usable here
   * @throws IllegalArgumentException if an option does not fit the machine
   */
  Device open(DeviceOptions options);
}
