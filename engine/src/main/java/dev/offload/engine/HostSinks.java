package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Vector;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The attention sinks of all layers in host memory, for caches that are attended there. */
final class HostSinks {
  private final Map<Integer, Vector> byLayer = new TreeMap<>();

  private HostSinks() {}

  /** For plans that attend to nothing on the host. */
  static HostSinks none() {
    return new HostSinks();
  }

  /** Bytes of the sinks of all layers. */
  static long bytes(EngineModel model) {
    return Float.BYTES * sinks(model).values().stream().mapToLong(Parameter::elements).sum();
  }

  /**
   * Reads the sinks of a model that has some.
   *
   * @param host attends
   * @param owned receives what has to be closed
   */
  static HostSinks load(EngineModel model, Device device, Device host, List<AutoCloseable> owned) {
    HostSinks loaded = new HostSinks();
    Map<Integer, Parameter> sinks = sinks(model);
    if (sinks.isEmpty()) {
      return loaded;
    }
    PinnedBuffer numbers = device.allocatePinned("attention sinks", bytes(model));
    owned.add(numbers);
    DeviceBuffer wrapped = host.wrap(numbers);
    owned.add(wrapped);
    long offset = 0;
    for (Map.Entry<Integer, Parameter> layer : sinks.entrySet()) {
      Parameter parameter = layer.getValue();
      long bytes = Float.BYTES * parameter.elements();
      model.weights().read(parameter, DType.F32, numbers.segment().asSlice(offset, bytes));
      loaded.byLayer.put(layer.getKey(), new Vector(wrapped, offset, parameter.columns()));
      offset += bytes;
    }
    return loaded;
  }

  private static Map<Integer, Parameter> sinks(EngineModel model) {
    Map<Integer, Parameter> sinks = new TreeMap<>();
    model.units().stream()
        .filter(unit -> unit.id().kind() == UnitId.Kind.ATTENTION)
        .forEach(
            unit -> unit.find(Role.SINKS).ifPresent(found -> sinks.put(unit.id().layer(), found)));
    return sinks;
  }

  /** The sinks of a layer, if it has some. */
  Optional<Vector> of(int layer) {
    return Optional.ofNullable(byLayer.get(layer));
  }
}
