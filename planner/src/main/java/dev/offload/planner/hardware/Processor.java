package dev.offload.planner.hardware;

import static dev.offload.planner.hardware.HardwareProfile.notNegative;
import static dev.offload.planner.hardware.HardwareProfile.positive;

import dev.offload.tensors.DType;
import java.util.List;
import java.util.Map;

/**
 * How fast a processor computes with what lies in its memory.
 *
 * @param memoryBytesPerSecond large reads
 * @param rowBytesPerSecond rows that operations without weights read and write: norms, activations,
 *     rotations
 * @param packBytesPerSecond weights that are put into the order that products read, read and
 *     written
 * @param launchSeconds what every operation costs besides its work
 * @param peakFlops large matrix products, by format of the weights
 * @param products measured products; where there are none for a format, time is the larger of
 *     arithmetic at the peak and weights read at the memory rate
 * @param attentionBytesPerSecond KV cache read by attention of one query per sequence
 * @param attentionFlops arithmetic of attention of prompts, 4 operations per query, key, head and
 *     element of a head
 */
public record Processor(
    double memoryBytesPerSecond,
    double rowBytesPerSecond,
    double packBytesPerSecond,
    double launchSeconds,
    Map<DType, Double> peakFlops,
    List<Product> products,
    double attentionBytesPerSecond,
    double attentionFlops) {
  public Processor {
    positive("memory rate", memoryBytesPerSecond);
    positive("rate of rows", rowBytesPerSecond);
    positive("rate of packing", packBytesPerSecond);
    notNegative("launch time", launchSeconds);
    positive("attention's memory rate", attentionBytesPerSecond);
    positive("attention's arithmetic", attentionFlops);
    peakFlops = Map.copyOf(peakFlops);
    products = List.copyOf(products);
  }

  /** One whose memory bounds operations without weights too. */
  public Processor(
      double memoryBytesPerSecond,
      double launchSeconds,
      Map<DType, Double> peakFlops,
      List<Product> products,
      double attentionBytesPerSecond,
      double attentionFlops) {
    this(
        memoryBytesPerSecond,
        memoryBytesPerSecond,
        memoryBytesPerSecond,
        launchSeconds,
        peakFlops,
        products,
        attentionBytesPerSecond,
        attentionFlops);
  }

  /**
   * A measured matrix product.
   *
   * @param dtype format of the weights
   * @param outputs rows of the weights
   * @param inputs columns of the weights
   * @param rows rows multiplied
   * @param seconds when many follow each other, weights not in any cache
   * @param againSeconds with the weights of the one before
   */
  public record Product(
      DType dtype, int outputs, int inputs, int rows, double seconds, double againSeconds) {
    public Product {
      positive("outputs of a product", outputs);
      positive("inputs of a product", inputs);
      positive("rows of a product", rows);
      positive("time of a product", seconds);
      positive("time of a product with the same weights again", againSeconds);
    }

    /** One that caches do not help. */
    public Product(DType dtype, int outputs, int inputs, int rows, double seconds) {
      this(dtype, outputs, inputs, rows, seconds, seconds);
    }
  }
}
