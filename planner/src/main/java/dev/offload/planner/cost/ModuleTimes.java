package dev.offload.planner.cost;

import dev.offload.planner.hardware.Processor;
import dev.offload.tensors.DType;
import java.util.List;

/**
 * How long the modules of a model take on one processor. Each product comes with one operation that
 * makes its rows or reads what it gave (a norm, a rotation, an activation), which moves these rows
 * through memory once. Not thread-safe.
 */
public final class ModuleTimes {
  private final Processor processor;
  private final DType dtype;
  private final ProductTimes products;

  /** Times with weights in a format; products are refused if the profile has no rate for it. */
  public ModuleTimes(Processor processor, DType dtype) {
    this.processor = processor;
    this.dtype = dtype;
    this.products = new ProductTimes(processor, dtype);
  }

  /** One matrix product alone. */
  public Compute product(MatrixShape shape, double rows) {
    return product(shape, rows, 0);
  }

  /**
   * One whose weights caches may have.
   *
   * @param kept how much they have: 0 nothing, 1 as behind another product with the same weights
   */
  public Compute product(MatrixShape shape, double rows, double kept) {
    if (rows <= 0) {
      return Compute.NONE;
    }
    double whole = Math.max(1, rows);
    double seconds = products.seconds(shape, whole, kept);
    double share = seconds / products.seconds(shape, whole, 0);
    return new Compute(seconds, 2 * whole * shape.elements(), share * products.bytes(shape, whole))
        .times(rows / whole);
  }

  /** An operation that reads and writes so many bytes and computes next to nothing. */
  public Compute movement(double bytes) {
    return new Compute(processor.launchSeconds() + bytes / processor.rowBytesPerSecond(), 0, bytes);
  }

  /** Putting weights into the order that products read, which reads and writes so many bytes. */
  public Compute packing(double bytes) {
    return new Compute(
        processor.launchSeconds() + bytes / processor.packBytesPerSecond(), 0, bytes);
  }

  /** Products of all rows with all matrices, and what goes with them. */
  public Compute products(List<MatrixShape> matrices, double rows) {
    Compute sum = Compute.NONE;
    for (MatrixShape shape : matrices) {
      sum = sum.plus(product(shape, rows)).plus(movement(rowBytes(shape, rows)));
    }
    return sum;
  }

  /**
   * Experts of one layer, with as many rows as each happens to get.
   *
   * @param expert matrices of one expert
   * @param count how many of the layer's experts
   * @param operations in how many groups they are multiplied
   */
  public Compute experts(
      List<MatrixShape> expert, double count, ExpertRows rows, double operations) {
    return experts(expert, count, rows, operations, 0);
  }

  /**
   * The same of which caches may have something.
   *
   * @param kept as of a product
   */
  public Compute experts(
      List<MatrixShape> expert, double count, ExpertRows rows, double operations, double kept) {
    double launch = processor.launchSeconds();
    Compute sum = Compute.NONE;
    for (MatrixShape shape : expert) {
      double seconds = rows.expected(r -> product(shape, r, kept).seconds() - launch);
      double bytes = rows.expected(r -> product(shape, r, kept).bytes());
      double flops = 2 * rows.mean() * shape.elements();
      Compute movement = movement(rowBytes(shape, rows.mean() * count));
      sum =
          sum.plus(new Compute(seconds, flops, bytes).times(count))
              .plus(movement)
              .plus(new Compute((2 * operations - 1) * launch, 0, 0));
    }
    return sum;
  }

  /** Appending to the cache and attending to it, without the projections. */
  public Compute attend(AttentionShape shape, AttentionLoad load) {
    if (load.rows() == 0) {
      return Compute.NONE;
    }
    double read = shape.bytesRead(load);
    double decodeFlops = load.decodePairs(shape.window()) * shape.pairFlops();
    double promptFlops = load.promptPairs(shape.window()) * shape.pairFlops();
    double seconds =
        Math.max(
                read / processor.attentionBytesPerSecond(),
                decodeFlops / processor.attentionFlops())
            + promptFlops / processor.attentionFlops();
    double appended = load.rows() * shape.kvBytes();
    return movement(2 * appended)
        .plus(new Compute(processor.launchSeconds() + seconds, decodeFlops + promptFlops, read));
  }

  private double rowBytes(MatrixShape shape, double rows) {
    return rows * ((double) shape.inputs() * dtype.bytes() + 4.0 * shape.outputs());
  }
}
