package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * A product of F32 rows with a plain panel in oneDNN. A stretch of the panel is widened to F32
 * scratch that stays in the second-level cache and is multiplied there; F32 panels are multiplied
 * where they are. With many rows widening costs little: for 32 rows a weight is widened once and
 * multiplied 32 times.
 */
final class WideningTileKernel implements TileKernel {
  /** Rows come in multiples of this, which bounds how much code oneDNN compiles. */
  static final int ROW_BLOCK = 4;

  /** Most inputs of a stretch: 128 KiB of scratch. */
  private static final int STRETCH = 512;

  private final DType weights;
  private final int inputs;
  private final int stretch;
  private final Dnnl.Product[] products;
  private final ScratchMemory scratches;

  /** Scratch for kernels. */
  static ScratchMemory newScratches() {
    return new ScratchMemory((long) STRETCH * COLUMNS * Float.BYTES);
  }

  WideningTileKernel(
      PlainProducts compiled, DType weights, PlainProducts.Size size, ScratchMemory scratches) {
    this.weights = weights;
    this.inputs = size.inputs();
    this.scratches = scratches;
    int count = weights == DType.F32 ? 1 : Math.ceilDiv(inputs, STRETCH);
    stretch = Math.ceilDiv(inputs, count);
    products = new Dnnl.Product[Math.ceilDiv(inputs, stretch)];
    for (int i = 0; i < products.length; i++) {
      products[i] =
          compiled.get(
              new PlainProducts.Size(
                  size.rows(),
                  Math.min(stretch, inputs - i * stretch),
                  size.inputStride(),
                  size.outputStride(),
                  size.accumulate() || i > 0));
    }
  }

  @Override
  public void multiply(
      MemorySegment x,
      long xOffset,
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset) {
    long from = x.address() + xOffset;
    long to = out.address() + outOffset;
    if (weights == DType.F32) {
      products[0].execute(from, panel.address() + panelOffset, to);
      return;
    }
    MemorySegment wide = scratches.acquire();
    for (int i = 0; i < products.length; i++) {
      int first = i * stretch;
      int count = Math.min(stretch, inputs - first);
      long offset = panelOffset + (long) first * COLUMNS * weights.bytes();
      WeightPanel.widen(panel, offset, weights, wide, count * COLUMNS);
      products[i].execute(from + (long) first * Float.BYTES, wide.address(), to);
    }
    scratches.release(wide);
  }
}
