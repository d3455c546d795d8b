package dev.offload.engine.weights;

import dev.offload.backends.api.DataLayout;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.weights.Parameter;

/**
 * Brings units to their homes while the model is loaded: matrices some panels of rows at a time,
 * through a small area on host and device, so that even a large unit needs little memory. What it
 * works with belongs to the caller. Not thread-safe.
 */
public final class UnitLoader {
  /** Larger copies are no faster. */
  private static final long PART_BYTES = 4L << 20;

  /**
   * What loading takes besides the homes.
   *
   * @param rowMajor bytes of the rows that are loaded at once, on the host and again on the device
   * @param packed device bytes of the same rows when they are packed
   */
  public record Area(long rowMajor, long packed) {
    static Area of(Iterable<UnitLayout> images, DataLayout layout) {
      long rowMajor = UnitLayout.ALIGNMENT;
      long packed = UnitLayout.ALIGNMENT;
      for (UnitLayout image : images) {
        for (UnitLayout.Entry entry : image.entries()) {
          int rows = rowsAtOnce(entry);
          rowMajor = Math.max(rowMajor, rowBytes(entry) * rows);
          packed = Math.max(packed, imageBytes(entry, rows, layout));
        }
      }
      return new Area(rowMajor, packed);
    }
  }

  private final UnitFiller filler;
  private final Operations operations;
  private final Stream stream;
  private final PinnedBuffer host;
  private final DeviceBuffer arrived;

  /**
   * @param operations of where the units are computed
   * @param host of the area's row-major size
   * @param arrived of the area's row-major size
   */
  UnitLoader(
      UnitFiller filler,
      Operations operations,
      Stream stream,
      PinnedBuffer host,
      DeviceBuffer arrived) {
    this.filler = filler;
    this.operations = operations;
    this.stream = stream;
    this.host = host;
    this.arrived = arrived;
  }

  /** Loads a unit that lives where it is computed. */
  void load(UnitView home) {
    forEachPart(
        home.layout(),
        (entry, rows, offset) -> {
          long to = home.base() + offset;
          long bytes = fill(entry, rows);
          if (entry.packed()) {
            pack(entry, rows, bytes, home.buffer(), to);
          } else {
            stream.copyToDevice(host, 0, home.buffer(), to, bytes);
          }
        });
  }

  /**
   * Loads a unit that lives on the host, in the form in which the device wants it.
   *
   * @param packed of the area's packed size
   */
  void load(UnitLayout image, PinnedBuffer home, long base, DeviceBuffer packed) {
    forEachPart(
        image,
        (entry, rows, offset) -> {
          long to = base + offset;
          if (entry.packed()) {
            pack(entry, rows, fill(entry, rows), packed, 0);
            stream.copyToHost(packed, 0, home, to, imageBytes(entry, rows.rows(), operations));
          } else {
            filler.fill(
                rows, entry.dtype(), home.segment().asSlice(to, rowMajorBytes(entry, rows)));
          }
        });
  }

  private interface PartStep {
    /**
     * @param rows some rows of the entry's parameter
     * @param offset where their image begins in the unit
     */
    void run(UnitLayout.Entry entry, Parameter rows, long offset);
  }

  private void forEachPart(UnitLayout image, PartStep step) {
    for (UnitLayout.Entry entry : image.entries()) {
      Parameter all = entry.parameter();
      int most = rowsAtOnce(entry);
      long offset = entry.offset();
      for (int first = 0; first < all.rows(); first += most) {
        int count = Math.min(most, all.rows() - first);
        step.run(entry, all.isMatrix() ? all.range(first, count) : all, offset);
        offset += imageBytes(entry, count, operations);
        stream.synchronize();
      }
    }
  }

  /** Writes rows to the host's area; returns their bytes. */
  private long fill(UnitLayout.Entry entry, Parameter rows) {
    long bytes = rowMajorBytes(entry, rows);
    filler.fill(rows, entry.dtype(), host.segment().asSlice(0, bytes));
    return bytes;
  }

  private static long rowMajorBytes(UnitLayout.Entry entry, Parameter rows) {
    return rows.elements() * entry.dtype().bytes();
  }

  private void pack(
      UnitLayout.Entry entry, Parameter rows, long bytes, DeviceBuffer to, long offset) {
    stream.copyToDevice(host, 0, arrived, 0, bytes);
    int outputs = rows.rows();
    int inputs = rows.columns();
    operations.pack(
        stream,
        new Weight(arrived, 0, entry.dtype(), outputs, inputs, false),
        new Weight(to, offset, entry.dtype(), outputs, inputs, true));
  }

  /** Whole panels of about {@value #PART_BYTES} bytes, but at least one; all if there is less. */
  private static int rowsAtOnce(UnitLayout.Entry entry) {
    long panels = PART_BYTES / (rowBytes(entry) * Operations.PANEL_OUTPUTS);
    long rows = Math.max(1, panels) * Operations.PANEL_OUTPUTS;
    return (int) Math.min(entry.parameter().rows(), rows);
  }

  private static long rowBytes(UnitLayout.Entry entry) {
    return (long) entry.parameter().columns() * entry.dtype().bytes();
  }

  /** Bytes of some rows as the device computes with them. */
  private static long imageBytes(UnitLayout.Entry entry, int rows, DataLayout layout) {
    return entry.packed()
        ? layout.packedBytes(entry.dtype(), rows, entry.parameter().columns())
        : rows * rowBytes(entry);
  }
}
