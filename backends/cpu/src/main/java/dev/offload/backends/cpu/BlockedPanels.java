package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Panels in the order that oneDNN chooses for rows of the same format, and the products compiled
 * for them so far. oneDNN compiles code for each size, about a millisecond each, so products are
 * kept.
 */
final class BlockedPanels implements PanelFormat {
  /** Rows are multiplied in multiples of this and a rest, which bounds how much is compiled. */
  private static final int ROW_BLOCK = 16;

  private final DType dtype;
  private final int inputs;
  private final Dnnl.WeightOrder order;
  private final Dnnl.Reorder reorder;
  private final Map<ProductKey, Dnnl.Product> products = new ConcurrentHashMap<>();

  /**
   * @param dtype of rows and weights
   */
  BlockedPanels(Dnnl dnnl, DType dtype, int inputs) {
    this.dtype = dtype;
    this.inputs = inputs;
    order = dnnl.bestOrder(dtype, inputs, TileKernel.COLUMNS);
    reorder = order.newReorder(inputs);
  }

  @Override
  public long bytes() {
    return order.bytes();
  }

  @Override
  public void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset) {
    if (rows == TileKernel.COLUMNS) {
      reorder.execute(from.address() + fromOffset, to.address() + toOffset);
      return;
    }
    long rowBytes = (long) inputs * dtype.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment full = arena.allocate(TileKernel.COLUMNS * rowBytes, Long.BYTES);
      MemorySegment.copy(from, fromOffset, full, 0, rows * rowBytes);
      reorder.execute(full.address(), to.address() + toOffset);
    }
  }

  @Override
  public int scratchNumbers(int rows) {
    return 0;
  }

  @Override
  public long taskBytes() {
    return 0;
  }

  @Override
  public TileKernel kernel(
      MemorySegment x, long xOffset, int stride, int rows, float[] scratch, int at) {
    int rest = rows % ROW_BLOCK;
    int blockRows = rows - rest;
    if (rest == 0 || blockRows == 0) {
      return new Rows(x.address() + xOffset, stride, rows);
    }
    long below = xOffset + (long) blockRows * stride * dtype.bytes();
    return new Rows(x.address() + xOffset, stride, blockRows)
        .above(new Rows(x.address() + below, stride, rest), blockRows);
  }

  private final class Rows implements TileKernel {
    private final long x;
    private final int stride;
    private final int rows;

    Rows(long x, int stride, int rows) {
      this.x = x;
      this.stride = stride;
      this.rows = rows;
    }

    @Override
    public void multiply(
        MemorySegment panel,
        long panelOffset,
        MemorySegment out,
        long outOffset,
        int outStride,
        boolean accumulate) {
      products
          .computeIfAbsent(
              new ProductKey(rows, stride, outStride, accumulate),
              key -> order.newProduct(key.rows, key.stride, key.outStride, key.accumulate))
          .execute(x, panel.address() + panelOffset, out.address() + outOffset);
    }
  }

  /** Sizes for which oneDNN compiled code so far. */
  int compiledSizes() {
    return products.size();
  }

  private record ProductKey(int rows, int stride, int outStride, boolean accumulate) {}
}
