package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.StoredTensor;

/** Formats and shapes as they stand in the files. */
record CheckpointFormats(Checkpoint checkpoint) implements StoredFormats {
  @Override
  public boolean has(String tensor) {
    return checkpoint.find(tensor).isPresent();
  }

  @Override
  public DType check(Role role, Part part) {
    StoredTensor tensor = checkpoint.require(part.tensor());
    if (!part.shape().stream().map(Integer::longValue).toList().equals(tensor.shape())) {
      throw new ModelException(
          "%s: tensor %s has the shape %s, but config.json makes it %s; they belong to different models"
              .formatted(tensor.file(), tensor.name(), tensor.shape(), part.shape()));
    }
    return tensor.format();
  }
}
