package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
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
  private final FewRows fewRows;

  /**
   * @param rowBlock of how many rows kernels for many rows take a multiple
   * @param manyRows makes kernels for many rows
   * @param fewRows what kernels for few rows work in
   */
  PlainPanels(DType weights, int inputs, int rowBlock, ManyRows manyRows, FewRows fewRows) {
    this.weights = weights;
    this.inputs = inputs;
    this.rowBlock = rowBlock;
    this.manyRows = manyRows;
    this.fewRows = fewRows;
  }

  /** Scratch of kernels for few rows of any width. */
  static final class FewRows {
    private final Scratch.Pool widened;
    private final Scratch.Pool any;

    FewRows(MemoryBudget budget) {
      widened = FewRowsKernel.newScratches(budget, MANY_ROWS);
      any = VectorTileKernel.newScratches(budget);
    }

    /** Bytes that a task with so formatted weights works in. */
    long taskBytes(DType weights) {
      return weights == DType.BF16 ? widened.bytes() : any.bytes();
    }

    /** Gives it back; no kernel may be running. */
    void drop() {
      widened.drop();
      any.drop();
    }
  }

  @Override
  public long bytes() {
    return PanelLayout.bytes(weights, inputs);
  }

  @Override
  public void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset) {
    PanelLayout.pack(from, fromOffset, weights, rows, inputs, to, toOffset);
  }

  /** Blocks of about equal size: two of 65 rows instead of one of 128 and 2. */
  @Override
  public int blockRows(int left, int most) {
    return Math.ceilDiv(left, Math.ceilDiv(left, most));
  }

  @Override
  public int panelsAtOnce() {
    return 1;
  }

  @Override
  public int scratchNumbers(int rows) {
    if (weights != DType.BF16) {
      return 0;
    }
    return FewRowsKernel.packedNumbers(rows < MANY_ROWS ? rows : rows % rowBlock, inputs);
  }

  @Override
  public long taskBytes() {
    return manyRows.taskBytes() + fewRows.taskBytes(weights);
  }

  @Override
  public TileKernel kernel(
      MemorySegment x, long xOffset, int stride, int rows, float[] scratch, int at) {
    if (rows < MANY_ROWS) {
      return fewRows(x, xOffset, stride, rows, scratch, at);
    }
    int rest = rows % rowBlock;
    int blockRows = rows - rest;
    TileKernel block = manyRows.kernel(x, xOffset, stride, blockRows);
    if (rest == 0) {
      return block;
    }
    long below = xOffset + (long) blockRows * stride * Float.BYTES;
    return block.above(fewRows(x, below, stride, rest, scratch, at), blockRows);
  }

  private TileKernel fewRows(
      MemorySegment x, long xOffset, int stride, int rows, float[] scratch, int at) {
    return weights == DType.BF16
        ? new FewRowsKernel(x, xOffset, stride, rows, inputs, scratch, at, fewRows.widened)
        : new VectorTileKernel(x, xOffset, stride, rows, inputs, weights, fewRows.any);
  }

  /** Makes kernels for many rows. */
  interface ManyRows {
    TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows);

    /** Bytes that a task works in. */
    long taskBytes();
  }
}
