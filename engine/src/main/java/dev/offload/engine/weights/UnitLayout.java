package dev.offload.engine.weights;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How the parameters of a unit lie in memory: matrices in the compute format, vectors in F32, each
 * at a multiple of {@value #ALIGNMENT} bytes. Lookup tables are left out; they stay on the host.
 */
public final class UnitLayout {
  static final int ALIGNMENT = 64;

  /**
   * One parameter, or one of the matrices that it consists of.
   *
   * @param parameter which
   * @param block its number among the parameter's matrices
   * @param dtype format here
   * @param packed in the device's own order
   * @param offset first byte, from the beginning of the unit
   * @param bytes size
   */
  public record Entry(
      Parameter parameter, int block, DType dtype, boolean packed, long offset, long bytes) {}

  private final WeightUnit unit;
  private final Map<Role, List<Entry>> entries = new EnumMap<>(Role.class);
  private long bytes;

  private UnitLayout(WeightUnit unit) {
    this.unit = unit;
  }

  /** As files hold it. */
  public static UnitLayout rowMajor(WeightUnit unit, DType computeDType) {
    UnitLayout layout = new UnitLayout(unit);
    for (Parameter parameter : unit.parameters()) {
      DType dtype = parameter.isMatrix() ? computeDType : DType.F32;
      for (int block = 0; block < parameter.blocks(); block++) {
        Parameter one = parameter.block(block);
        layout.add(one, block, dtype, false, one.elements() * dtype.bytes());
      }
    }
    return layout;
  }

  /** As the device computes with it. */
  public static UnitLayout image(WeightUnit unit, DType computeDType, DataLayout data) {
    UnitLayout layout = new UnitLayout(unit);
    for (Parameter parameter : unit.parameters()) {
      for (int block = 0; block < parameter.blocks(); block++) {
        Parameter one = parameter.block(block);
        if (one.isMatrix()) {
          layout.add(
              one,
              block,
              computeDType,
              data.packs(computeDType, one.rows(), one.columns()),
              data.packedBytes(computeDType, one.rows(), one.columns()));
        } else {
          layout.add(one, block, DType.F32, false, one.elements() * DType.F32.bytes());
        }
      }
    }
    return layout;
  }

  /** Some entries of this layout in the same order, close together. They are not found by role. */
  UnitLayout only(Predicate<Entry> wanted) {
    UnitLayout layout = new UnitLayout(unit);
    for (Entry entry : entries()) {
      if (wanted.test(entry)) {
        layout.add(entry.parameter(), entry.block(), entry.dtype(), entry.packed(), entry.bytes());
      }
    }
    return layout;
  }

  private void add(Parameter parameter, int block, DType dtype, boolean packed, long size) {
    if (parameter.role() == Role.TOKEN_TABLE || parameter.role() == Role.POSITION_TABLE) {
      return;
    }
    entries
        .computeIfAbsent(parameter.role(), _ -> new ArrayList<>())
        .add(new Entry(parameter, block, dtype, packed, bytes, size));
    bytes += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  public WeightUnit unit() {
    return unit;
  }

  /** Bytes of the whole unit. */
  public long bytes() {
    return bytes;
  }

  public List<Entry> entries() {
    return entries.values().stream().flatMap(List::stream).toList();
  }

  /** The entry of this layout that holds the same numbers as one of another layout. */
  Entry same(Entry other) {
    return entry(other.parameter().role(), other.block());
  }

  private Entry entry(Role role, int block) {
    List<Entry> found = entries.get(role);
    if (found == null) {
      throw new IllegalStateException("unit " + unit.id() + " has no " + role);
    }
    return found.get(block);
  }

  /** Whether both layouts are byte for byte the same. */
  public boolean sameAs(UnitLayout other) {
    return entries.equals(other.entries);
  }

  /** The parameters of a unit that begins at the given byte of a buffer. */
  public UnitView at(DeviceBuffer buffer, long base) {
    return new UnitView(this, buffer, base);
  }

  Weight weight(Role role, int block, DeviceBuffer buffer, long base) {
    return weight(entry(role, block), buffer, base);
  }

  static Weight weight(Entry entry, DeviceBuffer buffer, long base) {
    return new Weight(
        buffer,
        base + entry.offset(),
        entry.dtype(),
        entry.parameter().rows(),
        entry.parameter().columns(),
        entry.packed());
  }

  Optional<Vector> vector(Role role, DeviceBuffer buffer, long base) {
    return Optional.ofNullable(entries.get(role))
        .map(List::getFirst)
        .map(
            entry ->
                new Vector(
                    buffer, base + entry.offset(), Math.toIntExact(entry.parameter().elements())));
  }
}
