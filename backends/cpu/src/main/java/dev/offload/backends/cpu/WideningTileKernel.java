package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * A product of F32 rows with a plain panel of 16-bit weights in oneDNN. A stretch of the panel is
 * widened to F32 scratch that stays in the second-level cache and is multiplied there. With many
 * rows widening costs little: for 128 rows a weight is widened once and multiplied 128 times.
 */
final class WideningTileKernel implements TileKernel {
  /** Rows come in multiples of this, which bounds how much code oneDNN compiles. */
  static final int ROW_BLOCK = 4;

  /** Most inputs of a stretch: 128 KiB of scratch. */
  private static final int STRETCH = 512;

  /** Bytes that a task works in. */
  static final long SCRATCH_BYTES = (long) STRETCH * COLUMNS * Float.BYTES;

  private final MemorySegment x;
  private final long xOffset;
  private final int stride;
  private final int rows;
  private final int inputs;
  private final DType weights;
  private final int stretch;
  private final PlainProducts products;
  private final ScratchMemory scratches;

  /** Scratch for kernels. */
  static ScratchMemory newScratches(MemoryBudget budget) {
    return new ScratchMemory(budget, SCRATCH_BYTES);
  }

  WideningTileKernel(
      MemorySegment x,
      long xOffset,
      int stride,
      int rows,
      int inputs,
      DType weights,
      PlainProducts products,
      ScratchMemory scratches) {
    this.x = x;
    this.xOffset = xOffset;
    this.stride = stride;
    this.rows = rows;
    this.inputs = inputs;
    this.weights = weights;
    this.products = products;
    this.scratches = scratches;
    stretch = Math.ceilDiv(inputs, Math.ceilDiv(inputs, STRETCH));
  }

  @Override
  public void multiply(
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate) {
    long from = x.address() + xOffset;
    long to = out.address() + outOffset;
    MemorySegment wide = scratches.acquire();
    for (int first = 0; first < inputs; first += stretch) {
      int count = Math.min(stretch, inputs - first);
      WeightPanel.widen(panel, panelOffset, weights, inputs, first, count, wide);
      product(count, outStride, accumulate || first > 0)
          .execute(from + (long) first * Float.BYTES, wide.address(), to);
    }
    scratches.release(wide);
  }

  private Dnnl.Product product(int count, int outStride, boolean accumulate) {
    return products.get(new PlainProducts.Size(rows, count, stride, outStride, accumulate));
  }
}
