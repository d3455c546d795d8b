package dev.offload.tensors.checkpoint;

import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import java.nio.file.Path;
import java.util.List;

/**
 * One tensor of a checkpoint.
 *
 * @param name its name
 * @param dtype number format as the file names it, for example {@code BF16}; may be one that the
 *     engine does not compute with
 * @param shape outermost dimension first, empty for a single number
 * @param file the file that holds it
 * @param fileOffset byte in that file at which it begins
 * @param bytes its length
 */
public record StoredTensor(
    String name, String dtype, List<Long> shape, Path file, long fileOffset, long bytes) {

  public StoredTensor {
    shape = List.copyOf(shape);
  }

  /**
   * The number format.
   *
   * @throws ModelException if it is none the engine reads
   */
  public DType format() {
    return switch (dtype) {
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      default ->
          throw new ModelException(
              "%s: tensor %s is stored as %s; only F32, F16 and BF16 are supported, convert it"
                  .formatted(file, name, dtype));
    };
  }
}
