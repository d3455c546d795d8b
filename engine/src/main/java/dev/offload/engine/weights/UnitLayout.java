package dev.offload.engine.weights;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.WeightUnit;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * How the parameters of a unit lie in memory: matrices in the compute format, vectors in F32, each
 * at a multiple of {@value #ALIGNMENT} bytes. Lookup tables are left out; they stay on the host.
 */
public final class UnitLayout {
  static final int ALIGNMENT = 64;

  /**
   * One parameter.
   *
   * @param parameter which
   * @param dtype format here
   * @param packed in the device's own order
   * @param offset first byte, from the beginning of the unit
   * @param bytes size
   */
  public record Entry(Parameter parameter, DType dtype, boolean packed, long offset, long bytes) {}

  private final WeightUnit unit;
  private final Map<Role, Entry> entries = new EnumMap<>(Role.class);
  private long bytes;

  private UnitLayout(WeightUnit unit) {
    this.unit = unit;
  }

  /** As files hold it. */
  public static UnitLayout rowMajor(WeightUnit unit, DType computeDType) {
    UnitLayout layout = new UnitLayout(unit);
    for (Parameter parameter : unit.parameters()) {
      DType dtype = parameter.isMatrix() ? computeDType : DType.F32;
      layout.add(
          parameter, dtype, false, (long) parameter.rows() * parameter.columns() * dtype.bytes());
    }
    return layout;
  }

  /** As the device computes with it. */
  public static UnitLayout image(WeightUnit unit, DType computeDType, DataLayout layout) {
    UnitLayout image = new UnitLayout(unit);
    for (Parameter parameter : unit.parameters()) {
      int rows = parameter.rows();
      int columns = parameter.columns();
      if (parameter.isMatrix()) {
        image.add(
            parameter,
            computeDType,
            layout.packs(computeDType, rows, columns),
            layout.packedBytes(computeDType, rows, columns));
      } else {
        image.add(parameter, DType.F32, false, (long) rows * columns * DType.F32.bytes());
      }
    }
    return image;
  }

  private void add(Parameter parameter, DType dtype, boolean packed, long size) {
    if (parameter.role() == Role.TOKEN_TABLE || parameter.role() == Role.POSITION_TABLE) {
      return;
    }
    entries.put(parameter.role(), new Entry(parameter, dtype, packed, bytes, size));
    bytes += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  public WeightUnit unit() {
    return unit;
  }

  /** Bytes of the whole unit. */
  public long bytes() {
    return bytes;
  }

  public Iterable<Entry> entries() {
    return entries.values();
  }

  Entry entry(Role role) {
    Entry entry = entries.get(role);
    if (entry == null) {
      throw new IllegalStateException("unit " + unit.id() + " has no " + role);
    }
    return entry;
  }

  /** Whether both layouts are byte for byte the same. */
  public boolean sameAs(UnitLayout other) {
    return entries.equals(other.entries);
  }

  /** The parameters of a unit that begins at the given byte of a buffer. */
  public UnitView at(DeviceBuffer buffer, long base) {
    return new UnitView(this, buffer, base);
  }

  Weight weight(Role role, DeviceBuffer buffer, long base) {
    Entry entry = entry(role);
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
        .map(
            entry ->
                new Vector(
                    buffer,
                    base + entry.offset(),
                    entry.parameter().rows() * entry.parameter().columns()));
  }
}
