package dev.offload.planner.profile;

import dev.offload.tensors.DType;
import java.util.List;

/**
 * What is multiplied and attended to: what is usual, or what one model has.
 *
 * @param dtypes formats of weights; those that a device does not multiply are left out
 * @param sizes of weights; those with very many outputs are measured in part
 * @param heads of attention
 */
public record Shapes(List<DType> dtypes, List<MatrixSize> sizes, Heads heads) {
  public Shapes {
    dtypes = List.copyOf(dtypes);
    sizes = List.copyOf(sizes);
    if (dtypes.isEmpty() || sizes.isEmpty()) {
      throw new IllegalArgumentException(
          "formats %s and sizes %s, one of each is needed".formatted(dtypes, sizes));
    }
  }

  /** Shapes that stand for those of most models. */
  public static Shapes usual() {
    return new Shapes(
        List.of(DType.values()),
        List.of(
            new MatrixSize(1024, 1024),
            new MatrixSize(4096, 1024),
            new MatrixSize(1024, 4096),
            new MatrixSize(4096, 4096)),
        new Heads(32, 8, 128));
  }

  /**
   * Sizes of a matrix of weights.
   *
   * @param outputs rows as stored
   * @param inputs columns as stored
   */
  public record MatrixSize(int outputs, int inputs) {
    /** How many numbers. */
    public long elements() {
      return (long) outputs * inputs;
    }
  }

  /**
   * Heads of an attention module, whose cache is in BF16.
   *
   * @param queries query heads
   * @param keyValues heads of keys and values
   * @param width of a head
   */
  public record Heads(int queries, int keyValues, int width) {}
}
