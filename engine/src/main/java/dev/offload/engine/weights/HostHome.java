package dev.offload.engine.weights;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A granule at home in host memory: its image in one piece, or matrices where their files are
 * mapped and the rest in memory of its own. Owns that memory.
 */
final class HostHome implements AutoCloseable {
  private final List<UnitLayout> rest = new ArrayList<>();
  private final List<HostPiece> pieces = new ArrayList<>();
  private final Optional<PinnedBuffer> own;

  /**
   * Allocates it.
   *
   * @param images of its units
   * @param mapped what stays where it is; closed after this
   */
  HostHome(Device device, List<UnitLayout> images, MappedMatrices mapped) {
    for (UnitLayout image : images) {
      boolean whole = image.entries().stream().noneMatch(mapped::has);
      rest.add(whole ? image : image.only(entry -> !mapped.has(entry)));
    }
    long bytes = rest.stream().mapToLong(UnitLayout::bytes).sum();
    own =
        bytes > 0
            ? Optional.of(device.allocatePinned(images.getFirst().unit().id().toString(), bytes))
            : Optional.empty();
    long restBase = 0;
    long imageBase = 0;
    for (int i = 0; i < images.size(); i++) {
      addPieces(images.get(i), imageBase, rest.get(i), restBase, mapped);
      restBase += rest.get(i).bytes();
      imageBase += images.get(i).bytes();
    }
  }

  private void addPieces(
      UnitLayout image, long imageBase, UnitLayout kept, long keptBase, MappedMatrices mapped) {
    if (kept == image) {
      add(new HostPiece(own.orElseThrow(), keptBase, imageBase, image.bytes()));
      return;
    }
    Iterator<UnitLayout.Entry> keptEntries = kept.entries().iterator();
    for (UnitLayout.Entry entry : image.entries()) {
      long to = imageBase + entry.offset();
      if (mapped.has(entry)) {
        mapped.pieces(entry, to).forEach(this::add);
      } else {
        long from = keptBase + keptEntries.next().offset();
        add(new HostPiece(own.orElseThrow(), from, to, entry.bytes()));
      }
    }
  }

  private void add(HostPiece piece) {
    if (!pieces.isEmpty() && pieces.getLast().endsAt(piece)) {
      pieces.add(pieces.removeLast().and(piece));
    } else {
      pieces.add(piece);
    }
  }

  /**
   * Fills what does not stay in files.
   *
   * @param packed of the loading area's packed size
   */
  void load(UnitLoader loader, DeviceBuffer packed) {
    long base = 0;
    for (UnitLayout kept : rest) {
      if (kept.bytes() > 0) {
        loader.load(kept, own.orElseThrow(), base, packed);
      }
      base += kept.bytes();
    }
  }

  /** Enqueues the copy of the granule to the device. */
  void copy(Stream stream, DeviceBuffer to, long toOffset) {
    for (HostPiece piece : pieces) {
      stream.copyToDevice(
          piece.from(), piece.offset(), to, toOffset + piece.imageOffset(), piece.bytes());
    }
  }

  @Override
  public void close() {
    own.ifPresent(PinnedBuffer::close);
  }
}
