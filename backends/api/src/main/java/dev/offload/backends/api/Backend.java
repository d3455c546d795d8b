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
   * Opens a device. The caller closes it, after everything it allocated and every stream.
   *
   * @throws IllegalStateException if the backend is not usable here
   * @throws IllegalArgumentException if an option does not fit the machine
   */
  Device open(DeviceOptions options);
}
