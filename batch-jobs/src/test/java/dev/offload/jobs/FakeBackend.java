package dev.offload.jobs;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A backend whose devices cannot be opened. */
class FakeBackend implements Backend {
  private final String name;
  private final List<DeviceDescription> devices = new ArrayList<>();
  private Optional<String> reason = Optional.empty();

  FakeBackend(String name) {
    this.name = name;
  }

  FakeBackend with(DeviceDescription.Kind kind, long memoryBytes) {
    int index = devices.size();
    devices.add(
        new DeviceDescription(index, name + " device " + index, kind, memoryBytes, 1, "made up"));
    return this;
  }

  FakeBackend unusable(String why) {
    reason = Optional.of(why);
    return this;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Optional<String> unusableReason() {
    return reason;
  }

  @Override
  public List<DeviceDescription> devices() {
    return reason.isPresent() ? List.of() : List.copyOf(devices);
  }

  @Override
  public Device open(DeviceOptions options) {
    throw new IllegalStateException(name + " is lost");
  }
}
