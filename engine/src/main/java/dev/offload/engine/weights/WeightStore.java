package dev.offload.engine.weights;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.Granule;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.planner.Work;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All weights of a model that its device computes with in their homes, and the ring through which
 * those away from the device pass. Filled once; afterwards its methods only enqueue. Owns its
 * buffers.
 */
public final class WeightStore implements AutoCloseable {
  private final Device device;
  private final UnitFiller filler;
  private final DType computeDType;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final Map<UnitId, UnitLayout> rowMajor = new HashMap<>();
  private final Map<UnitId, UnitLayout> images = new HashMap<>();
  private final Map<UnitId, UnitView> resident = new HashMap<>();
  private final Map<Integer, HostHome> hostHomes = new HashMap<>();
  private DeviceBuffer ring;
  private DeviceBuffer expanded;
  private PinnedBuffer staging;

  private WeightStore(Device device, DType computeDType, UnitFiller filler) {
    this.device = device;
    this.computeDType = computeDType;
    this.filler = filler;
    owned.add(filler);
  }

  /** Sizes of all units in a compute format where host and device compute in the same order. */
  public static List<UnitSize> sizes(
      List<WeightUnit> units, DType computeDType, DataLayout layout) {
    return sizes(units, computeDType, layout, layout);
  }

  /** Sizes of all units in a compute format. */
  public static List<UnitSize> sizes(
      List<WeightUnit> units, DType computeDType, DataLayout layout, DataLayout hostLayout) {
    Map<List<Form>, UnitSize> known = new HashMap<>();
    return units.stream()
        .map(
            unit -> {
              UnitSize alike =
                  known.computeIfAbsent(
                      forms(unit), _ -> size(unit, computeDType, layout, hostLayout));
              return new UnitSize(
                  unit.id(),
                  alike.rowMajorBytes(),
                  alike.imageBytes(),
                  alike.packed(),
                  alike.hostImageBytes());
            })
        .toList();
  }

  private static UnitSize size(
      WeightUnit unit, DType computeDType, DataLayout layout, DataLayout hostLayout) {
    UnitLayout image = UnitLayout.image(unit, computeDType, layout);
    UnitLayout rowMajor = UnitLayout.rowMajor(unit, computeDType);
    return new UnitSize(
        unit.id(),
        rowMajor.bytes(),
        image.bytes(),
        !image.sameAs(rowMajor),
        UnitLayout.image(unit, computeDType, hostLayout).bytes());
  }

  /**
   * What the size of a parameter depends on. Models have thousands of units, few different ones.
   */
  private record Form(Role role, int rows, int columns, int blocks) {}

  private static List<Form> forms(WeightUnit unit) {
    List<Form> forms = new ArrayList<>(unit.parameters().size());
    for (Parameter each : unit.parameters()) {
      forms.add(new Form(each.role(), each.rows(), each.columns(), each.blocks()));
    }
    return forms;
  }

  /** What is needed besides the homes while units are loaded; the ring comes afterwards. */
  public static UnitLoader.Area loadingArea(
      List<WeightUnit> units, DType computeDType, DataLayout layout) {
    Map<List<Form>, UnitLayout> different = new LinkedHashMap<>();
    for (WeightUnit unit : units) {
      different.computeIfAbsent(forms(unit), _ -> UnitLayout.image(unit, computeDType, layout));
    }
    return UnitLoader.Area.of(different.values(), layout);
  }

  /**
   * Allocates all homes and the ring and brings every unit to its home; except those that the host
   * computes, see {@link HostExpertWeights}.
   *
   * @param spareHostBytes of the budget of pinned memory, beside all that is planned
   * @throws dev.offload.backends.api.MemoryBudgetException if a budget does not suffice
   */
  public static WeightStore load(
      Device device,
      Plan plan,
      List<WeightUnit> units,
      List<Granule> granules,
      UnitFiller filler,
      long spareHostBytes) {
    WeightStore store = new WeightStore(device, plan.computeDType(), filler);
    try {
      List<Granule> crossing =
          granules.stream().filter(granule -> !granule.isComputedOnHost()).toList();
      store.layOut(units);
      store.allocateHomes(crossing);
      store.allocateHostHomes(crossing, spareHostBytes);
      store.fill(crossing);
      store.allocateRing(plan, crossing);
      return store;
    } catch (RuntimeException | Error e) {
      store.close();
      throw e;
    }
  }

  private void layOut(List<WeightUnit> units) {
    for (WeightUnit unit : units) {
      rowMajor.put(unit.id(), UnitLayout.rowMajor(unit, computeDType));
      images.put(unit.id(), UnitLayout.image(unit, computeDType, device.operations()));
    }
  }

  private void allocateHomes(List<Granule> granules) {
    long residentBytes =
        granules.stream()
            .filter(granule -> granule.home() == Tier.DEVICE)
            .mapToLong(Granule::imageBytes)
            .sum();
    if (residentBytes > 0) {
      DeviceBuffer home = own(device.allocate("resident weights", residentBytes));
      long offset = 0;
      for (Granule granule : granules) {
        if (granule.home() == Tier.DEVICE) {
          for (UnitId unit : granule.units()) {
            resident.put(unit, images.get(unit).at(home, offset));
            offset += images.get(unit).bytes();
          }
        }
      }
    }
  }

  private void allocateHostHomes(List<Granule> granules, long spareBytes) {
    List<Granule> onHost =
        granules.stream().filter(granule -> granule.home() == Tier.HOST).toList();
    List<UnitLayout> all = onHost.stream().flatMap(granule -> images(granule).stream()).toList();
    MappedMatrices mapped = own(MappedMatrices.pin(device, filler, all, spareBytes));
    for (Granule granule : onHost) {
      hostHomes.put(granule.index(), own(new HostHome(device, images(granule), mapped)));
    }
  }

  private List<UnitLayout> images(Granule granule) {
    return granule.units().stream().map(images::get).toList();
  }

  private void allocateRing(Plan plan, List<Granule> granules) {
    if (plan.ringBytes() > 0) {
      ring = own(device.allocate("weight ring", plan.ringBytes()));
    }
    long largestExpanded =
        granules.stream()
            .filter(Granule::isExpanded)
            .mapToLong(Granule::imageBytes)
            .max()
            .orElse(0);
    if (largestExpanded > 0) {
      expanded = own(device.allocate("expanded weights", largestExpanded));
    }
    if (plan.stagingBytes() > 0) {
      staging = own(device.allocatePinned("weight staging", plan.stagingBytes()));
    }
  }

  private <T extends AutoCloseable> T own(T buffer) {
    owned.add(buffer);
    return buffer;
  }

  private void fill(List<Granule> granules) {
    List<UnitLayout> toFill =
        granules.stream()
            .filter(granule -> granule.home() != Tier.DISK)
            .flatMap(granule -> images(granule).stream())
            .toList();
    if (toFill.isEmpty()) {
      return;
    }
    UnitLoader.Area area = UnitLoader.Area.of(toFill, device.operations());
    try (PinnedBuffer host = device.allocatePinned("loading", area.rowMajor());
        DeviceBuffer arrived = device.allocate("loading", area.rowMajor());
        DeviceBuffer packed = device.allocate("packing", area.packed());
        Stream stream = device.newStream("load")) {
      UnitLoader loader = new UnitLoader(filler, device.operations(), stream, host, arrived);
      for (Granule granule : granules) {
        load(granule, loader, packed);
      }
    }
  }

  private void load(Granule granule, UnitLoader loader, DeviceBuffer packed) {
    switch (granule.home()) {
      case DEVICE -> granule.units().forEach(id -> loader.load(resident.get(id)));
      case HOST -> hostHomes.get(granule.index()).load(loader, packed);
      case DISK -> {}
    }
  }

  /** Enqueues the way from the row-major form of a unit to the one the device computes with. */
  private void expand(
      Stream stream,
      UnitLayout from,
      DeviceBuffer fromBuffer,
      long fromBase,
      UnitLayout to,
      DeviceBuffer toBuffer,
      long toBase) {
    for (UnitLayout.Entry entry : to.entries()) {
      UnitLayout.Entry source = from.same(entry);
      if (entry.packed()) {
        device
            .operations()
            .pack(
                stream,
                UnitLayout.weight(source, fromBuffer, fromBase),
                UnitLayout.weight(entry, toBuffer, toBase));
      } else {
        stream.copyOnDevice(
            fromBuffer,
            fromBase + source.offset(),
            toBuffer,
            toBase + entry.offset(),
            source.bytes());
      }
    }
  }

  /**
   * Reads a granule from its files into staging; runs on the caller's thread. Returns bytes read.
   */
  public long read(Work.ReadWeights work) {
    long offset = work.stagingOffset();
    long read = 0;
    for (UnitId id : work.granule().units()) {
      read += filler.read(rowMajor.get(id), staging.segment(), offset);
      offset += rowMajor.get(id).bytes();
    }
    return read;
  }

  /** Enqueues the copy of a granule into the ring. */
  public void copy(Work.CopyWeights work, Stream stream) {
    Granule granule = work.granule();
    if (granule.home() == Tier.HOST) {
      hostHomes.get(granule.index()).copy(stream, ring, work.ringOffset());
    } else {
      stream.copyToDevice(
          staging, work.stagingOffset(), ring, work.ringOffset(), granule.storedBytes());
    }
  }

  /** Enqueues the expansion of a granule that has arrived in the ring. */
  public void expand(Work.ExpandWeights work, Stream stream) {
    long from = work.ringOffset();
    long to = 0;
    for (UnitId id : work.granule().units()) {
      UnitLayout source = rowMajor.get(id);
      UnitLayout target = images.get(id);
      expand(stream, source, ring, from, target, expanded, to);
      from += source.bytes();
      to += target.bytes();
    }
  }

  /** A unit of a granule, where the tasks that use it find it. */
  public UnitView view(Work.Located located, UnitId id) {
    Granule granule = located.granule();
    if (!granule.isStreamed()) {
      return resident.get(id);
    }
    long base = granule.isExpanded() ? 0 : located.ringOffset();
    for (UnitId unit : granule.units()) {
      if (unit.equals(id)) {
        return images.get(id).at(granule.isExpanded() ? expanded : ring, base);
      }
      base += images.get(unit).bytes();
    }
    throw new IllegalArgumentException("granule " + granule.index() + " does not hold " + id);
  }

  /** The only unit of a granule. */
  public UnitView view(Work.Located located) {
    return view(located, located.granule().units().getFirst());
  }

  @Override
  public void close() {
    for (AutoCloseable buffer : owned.reversed()) {
      try {
        buffer.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("a weight buffer could not be closed", e);
      }
    }
    owned.clear();
  }
}
