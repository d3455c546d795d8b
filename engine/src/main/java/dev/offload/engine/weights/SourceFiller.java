package dev.offload.engine.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.WeightSource;
import java.lang.foreign.MemorySegment;

/** Units from a weight source that has no files. */
public final class SourceFiller implements UnitFiller {
  private final WeightSource source;

  public SourceFiller(WeightSource source) {
    this.source = source;
  }

  @Override
  public void fill(Parameter parameter, DType as, MemorySegment to) {
    source.read(parameter, as, to);
  }

  @Override
  public long read(UnitLayout layout, MemorySegment to, long offset) {
    throw new IllegalStateException(
        "unit " + layout.unit().id() + " cannot be read from disk: these weights have no files");
  }

  @Override
  public void close() {}
}
