package dev.offload.engine.weights;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.Granule;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The experts that the host computes: in host memory, in the order in which it computes. Filled
 * once. Owns its buffers.
 */
public final class HostExpertWeights implements AutoCloseable {
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final Map<UnitId, UnitView> experts = new HashMap<>();

  private HostExpertWeights() {}

  /**
   * Allocates the homes of all granules that are computed on the host and brings their units there.
   * That takes {@link #loadingBytes} of host memory besides.
   *
   * @param device whose budget of host memory counts
   * @param host computes
   * @param filler still open afterwards
   * @throws dev.offload.backends.api.MemoryBudgetException if the budget does not suffice
   */
  public static HostExpertWeights load(
      Device device,
      Device host,
      DType computeDType,
      List<WeightUnit> units,
      List<Granule> granules,
      UnitFiller filler) {
    HostExpertWeights weights = new HostExpertWeights();
    try {
      weights.allocate(device, host, computeDType, units, granules);
      weights.fill(device, host, filler);
      return weights;
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  private void allocate(
      Device device,
      Device host,
      DType computeDType,
      List<WeightUnit> units,
      List<Granule> granules) {
    Map<UnitId, WeightUnit> byId = new HashMap<>();
    units.forEach(unit -> byId.put(unit.id(), unit));
    for (Granule granule : granules) {
      if (granule.isComputedOnHost()) {
        PinnedBuffer home =
            own(
                device.allocatePinned(
                    "experts of the host in layer " + granule.layer(), granule.imageBytes()));
        DeviceBuffer wrapped = own(host.wrap(home));
        long offset = 0;
        for (UnitId id : granule.units()) {
          UnitLayout image = UnitLayout.image(byId.get(id), computeDType, host.operations());
          experts.put(id, image.at(wrapped, offset));
          offset += image.bytes();
        }
      }
    }
  }

  private void fill(Device device, Device host, UnitFiller filler) {
    if (experts.isEmpty()) {
      return;
    }
    UnitLoader.Area area =
        UnitLoader.Area.of(
            experts.values().stream().map(UnitView::layout).toList(), host.operations());
    try (PinnedBuffer rows = device.allocatePinned("loading", area.rowMajor());
        PinnedBuffer arrived = device.allocatePinned("loading", area.rowMajor());
        DeviceBuffer wrapped = host.wrap(arrived);
        Stream stream = host.newStream("load")) {
      UnitLoader loader = new UnitLoader(filler, host.operations(), stream, rows, wrapped);
      experts.values().forEach(loader::load);
    }
  }

  private <T extends AutoCloseable> T own(T buffer) {
    owned.add(buffer);
    return buffer;
  }

  /** Host bytes that loading takes besides the homes, if loading all units takes this area. */
  public static long loadingBytes(UnitLoader.Area area) {
    return 2 * area.rowMajor();
  }

  /** An expert where the host computes with it. */
  public UnitView view(UnitId expert) {
    return experts.get(expert);
  }

  @Override
  public void close() {
    for (AutoCloseable buffer : owned.reversed()) {
      try {
        buffer.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("experts of the host could not be released", e);
      }
    }
    owned.clear();
  }
}
