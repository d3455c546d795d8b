package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import java.lang.foreign.MemorySegment;

/** Weights out of the mapped files of a checkpoint, which must stay open meanwhile. */
public final class CheckpointSource implements WeightSource {
  private final Checkpoint checkpoint;

  public CheckpointSource(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  @Override
  public void read(Parameter parameter, DType as, MemorySegment to) {
    WeightSource.checkSize(parameter, as, to);
    long offset = 0;
    for (Part part : parameter.parts()) {
      PartCopy copy = new PartCopy(part, parameter.dtype(), as);
      copy.copy(checkpoint.bytes(checkpoint.require(part.tensor())), to, offset);
      offset += copy.elements() * as.bytes();
    }
  }
}
