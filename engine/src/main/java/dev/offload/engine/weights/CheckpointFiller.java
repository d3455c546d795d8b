package dev.offload.engine.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.weights.CheckpointSource;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.UnitReader;
import dev.offload.tensors.weights.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Units from the files of a checkpoint: mapped while loading, by positional reads during passes.
 */
public final class CheckpointFiller implements UnitFiller {
  private final WeightSource mapped;
  private final UnitReader reader;

  /**
   * Opens the files of a checkpoint, which must stay open.
   *
   * @param direct whether passes read past the page cache
   */
  public CheckpointFiller(Checkpoint checkpoint, boolean direct) {
    this.mapped = new CheckpointSource(checkpoint);
    try {
      this.reader = direct ? UnitReader.openDirect(checkpoint) : UnitReader.open(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void fill(Parameter parameter, DType as, MemorySegment to) {
    mapped.read(parameter, as, to);
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
