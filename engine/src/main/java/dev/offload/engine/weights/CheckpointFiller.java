package dev.offload.engine.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.FileRange;
import dev.offload.tensors.weights.CheckpointSource;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.UnitReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Units from the files of a checkpoint: mapped while loading, by positional reads during passes.
 */
public final class CheckpointFiller implements UnitFiller {
  private final Checkpoint checkpoint;
  private final CheckpointSource source;
  private final OptionalLong leastMappedBytes;
  private final UnitReader reader;

  /**
   * Opens the files of a checkpoint, which must stay open.
   *
   * @param direct whether passes read past the page cache
   * @param leastMappedBytes parameters whose parts have so many bytes or more are to be used where
   *     the files are mapped; empty if none are
   */
  public CheckpointFiller(Checkpoint checkpoint, boolean direct, OptionalLong leastMappedBytes) {
    this.checkpoint = checkpoint;
    this.source = new CheckpointSource(checkpoint);
    this.leastMappedBytes = leastMappedBytes;
    try {
      this.reader = direct ? UnitReader.openDirect(checkpoint) : UnitReader.open(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void fill(Parameter parameter, DType as, MemorySegment to) {
    source.read(parameter, as, to);
  }

  @Override
  public List<FileRange> mapped(Parameter parameter, DType as) {
    if (leastMappedBytes.isEmpty() || !parameter.isMatrix()) {
      return List.of();
    }
    List<FileRange> ranges = source.ranges(parameter, as);
    long least = leastMappedBytes.getAsLong();
    return ranges.stream().allMatch(range -> range.bytes() >= least) ? ranges : List.of();
  }

  @Override
  public MemorySegment bytes(FileRange range) {
    return checkpoint.bytes(range);
  }

  @Override
  public long read(UnitLayout layout, MemorySegment to, long offset) {
    List<UnitReader.Target> targets = new ArrayList<>();
    long bytes = 0;
    for (UnitLayout.Entry entry : layout.entries()) {
      targets.add(new UnitReader.Target(entry.parameter(), entry.dtype(), offset + entry.offset()));
      bytes += entry.parameter().bytes();
    }
    try {
      reader.read(targets, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes;
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
