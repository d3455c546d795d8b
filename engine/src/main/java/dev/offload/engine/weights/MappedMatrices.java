package dev.offload.engine.weights;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.HostMemory;
import dev.offload.tensors.checkpoint.FileRange;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Matrices at home in host memory that stay where their files are mapped: the page cache is their
 * home, pinned, and they are copied to the device from there. Neighbours in a file are pinned as
 * one. Either all that may stay do or none. Owns the pinning, not the mapping.
 */
final class MappedMatrices implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(MappedMatrices.class.getName());

  private final Map<UnitLayout.Entry, List<FileRange>> ranges = new HashMap<>();
  private final Map<Path, NavigableMap<Long, PinnedBuffer>> pinned = new HashMap<>();

  private MappedMatrices() {}

  /**
   * Pins what the filler says is to be used where it is, and is not packed.
   *
   * @param images of units at home in host memory
   * @param spareBytes of the budget of host memory, beside what the plan counts for these units:
   *     memory is pinned by whole pages
   */
  static MappedMatrices pin(
      Device device, UnitFiller filler, List<UnitLayout> images, long spareBytes) {
    MappedMatrices matrices = new MappedMatrices();
    for (UnitLayout image : images) {
      for (UnitLayout.Entry entry : image.entries()) {
        List<FileRange> found =
            entry.packed() ? List.of() : filler.mapped(entry.parameter(), entry.dtype());
        if (!found.isEmpty()) {
          matrices.ranges.put(entry, found);
        }
      }
    }
    if (matrices.ranges.isEmpty()) {
      return matrices;
    }
    try {
      matrices.pin(device, filler, spareBytes);
      return matrices;
    } catch (RuntimeException | Error e) {
      matrices.close();
      throw e;
    }
  }

  private void pin(Device device, UnitFiller filler, long spareBytes) {
    List<FileRange> runs = runs(ranges.values().stream().flatMap(List::stream).toList());
    long pages = runs.stream().mapToLong(run -> HostMemory.wholePages(run.bytes())).sum();
    long rounding = pages - bytes();
    if (rounding > spareBytes) {
      LOGGER.log(
          Level.WARNING,
          "weights are copied from the page cache to host memory: to be used where they are they need {0} more of it, "
              + "because whole pages are pinned, and the plan leaves {1}; give more --host-memory",
          ByteSize.format(rounding),
          ByteSize.format(Math.max(0, spareBytes)));
      ranges.clear();
      return;
    }
    for (FileRange run : runs) {
      Optional<PinnedBuffer> buffer = device.tryPin("weights in " + run.file(), filler.bytes(run));
      if (buffer.isEmpty()) {
        LOGGER.log(
            Level.WARNING,
            "weights are copied from the page cache to host memory: {0} cannot use {1} where it is",
            device.facts().name(),
            run.file());
        ranges.clear();
        close();
        return;
      }
      pinned.computeIfAbsent(run.file(), _ -> new TreeMap<>()).put(run.offset(), buffer.get());
    }
  }

  /** Ranges by file and offset, from page to page; those that touch the same page are one. */
  static List<FileRange> runs(List<FileRange> ranges) {
    List<FileRange> runs = new ArrayList<>();
    for (FileRange range :
        ranges.stream()
            .sorted(Comparator.comparing(FileRange::file).thenComparing(FileRange::offset))
            .toList()) {
      long begin = range.offset() - range.offset() % HostMemory.ALIGNMENT;
      if (!runs.isEmpty()
          && runs.getLast().file().equals(range.file())
          && begin <= HostMemory.wholePages(runs.getLast().end())) {
        FileRange last = runs.removeLast();
        long end = Math.max(last.end(), range.end());
        runs.add(new FileRange(range.file(), last.offset(), end - last.offset()));
      } else {
        runs.add(new FileRange(range.file(), begin, range.end() - begin));
      }
    }
    return runs;
  }

  /** Bytes of the matrices that stay where they are. */
  long bytes() {
    return ranges.values().stream().flatMap(List::stream).mapToLong(FileRange::bytes).sum();
  }

  /** Whether a matrix stays where it is. */
  boolean has(UnitLayout.Entry entry) {
    return ranges.containsKey(entry);
  }

  /**
   * Where a matrix is copied from.
   *
   * @param imageOffset where it goes
   * @return from top to bottom
   */
  List<HostPiece> pieces(UnitLayout.Entry entry, long imageOffset) {
    List<HostPiece> pieces = new ArrayList<>();
    long to = imageOffset;
    for (FileRange range : ranges.get(entry)) {
      Map.Entry<Long, PinnedBuffer> run = pinned.get(range.file()).floorEntry(range.offset());
      pieces.add(new HostPiece(run.getValue(), range.offset() - run.getKey(), to, range.bytes()));
      to += range.bytes();
    }
    return pieces;
  }

  @Override
  public void close() {
    pinned.values().stream().flatMap(runs -> runs.values().stream()).forEach(PinnedBuffer::close);
    pinned.clear();
  }
}
