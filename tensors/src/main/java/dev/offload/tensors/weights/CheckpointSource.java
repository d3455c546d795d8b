package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.FileRange;
import dev.offload.tensors.checkpoint.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Weights out of the mapped files of a checkpoint, which must stay open meanwhile. */
public final class CheckpointSource implements WeightSource {
  private final Checkpoint checkpoint;

  public CheckpointSource(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  /**
   * Where the numbers of a parameter lie in the files, if they lie there as they are wanted:
   * row-major and in that format.
   *
   * @return from top to bottom; empty if they have to be converted, turned or picked out
   */
  public List<FileRange> ranges(Parameter parameter, DType as) {
    if (parameter.dtype() != as || !parameter.parts().stream().allMatch(Part::isContiguous)) {
      return List.of();
    }
    return parameter.parts().stream().map(part -> range(part, as)).toList();
  }

  private FileRange range(Part part, DType as) {
    StoredTensor tensor = checkpoint.require(part.tensor());
    return new FileRange(
        tensor.file(),
        tensor.fileOffset() + part.firstElement() * as.bytes(),
        (long) part.rows() * part.columns() * as.bytes());
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
