package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * Panels in our own order, see {@link PanelLayout}, in the format weights are stored in. Rows are
 * F32. Whole blocks of rows go to one kind of kernel, the rest, and all if they are few, to one
 * that widens weights on their way from memory to the registers.
 */
final class PlainPanels implements PanelFormat {
  /** Fewer rows than this do not pay for widening weights into scratch first. */
  static final int MANY_ROWS = 48;

  private final DType weights;
  private final int inputs;
  private final int rowBlock;
  private final ManyRows manyRows;
  private final FewRowsKernel.Scratches fewRows;
  private final Scratch.Pool anyRows = VectorTileKernel.newScratches();

  /**
   * @param rowBlock of how many rows kernels for many rows take a multiple
   * @param manyRows makes kernels for many rows
   */
  PlainPanels(DType weights, int inputs, int rowBlock, ManyRows manyRows) {
    this.weights = weights;
    this.inputs = inputs;
    this.rowBlock = rowBlock;
    this.manyRows = manyRows;
    fewRows = new FewRowsKernel.Scratches(MANY_ROWS, inputs);
  }

  @Override
  public long bytes() {
    return PanelLayout.bytes(weights, inputs);
  }

  @Override
  public void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset) {
    PanelLayout.pack(from, fromOffset, weights, rows, inputs, to, toOffset);
  }

  @Override
  public TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows) {
    if (rows < MANY_ROWS) {
      return fewRows(x, xOffset, stride, rows);
    }
    int rest = rows % rowBlock;
    int blockRows = rows - rest;
    TileKernel block = manyRows.kernel(x, xOffset, stride, blockRows);
    if (rest == 0) {
      return block;
    }
    long below = xOffset + (long) blockRows * stride * Float.BYTES;
    return block.above(fewRows(x, below, stride, rest), blockRows);
  }

  private TileKernel fewRows(MemorySegment x, long xOffset, int stride, int rows) {
    return weights == DType.BF16
        ? new FewRowsKernel(x, xOffset, stride, rows, inputs, fewRows)
        : new VectorTileKernel(x, xOffset, stride, rows, inputs, weights, anyRows);
  }

  /** Makes kernels for many rows. */
  interface ManyRows {
    TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows);
  }
}
