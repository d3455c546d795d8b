package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * Panels in which the weights of one input lie next to each other, input by input, in the format
 * they are stored in: [inputs, {@link TileKernel#COLUMNS}]. Rows are F32. Whole blocks of rows go
 * to one kind of kernel, the rest, and all if they are few, to one that widens weights on their way
 * from memory to the registers.
 */
final class PlainPanels implements PanelFormat {
  /** Fewer rows than this do not pay for widening weights into scratch first. */
  static final int MANY_ROWS = 16;

  private final DType weights;
  private final int inputs;
  private final int rowBlock;
  private final TileKernel.Factory blocks;
  private final Scratch.Pool fewRows = FewRowsKernel.newScratches(MANY_ROWS);
  private final Scratch.Pool anyRows = VectorTileKernel.newScratches();

  /**
   * @param rowBlock of how many rows kernels for many rows take a multiple
   * @param blocks makes kernels for many rows
   */
  PlainPanels(DType weights, int inputs, int rowBlock, TileKernel.Factory blocks) {
    this.weights = weights;
    this.inputs = inputs;
    this.rowBlock = rowBlock;
    this.blocks = blocks;
  }

  @Override
  public long bytes() {
    return (long) inputs * TileKernel.COLUMNS * weights.bytes();
  }

  @Override
  public void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset) {
    PanelTranspose.transpose(from, fromOffset, to, toOffset, weights.bytes(), rows, inputs);
  }

  @Override
  public TileKernel kernel(int rows, int inputStride, int outputStride, boolean accumulate) {
    if (rows < MANY_ROWS) {
      return fewRows(rows, inputStride, outputStride, accumulate);
    }
    int rest = rows % rowBlock;
    int blockRows = rows - rest;
    TileKernel block = blocks.kernel(blockRows, inputStride, outputStride, accumulate);
    if (rest == 0) {
      return block;
    }
    return block.above(
        fewRows(rest, inputStride, outputStride, accumulate),
        (long) blockRows * inputStride * Float.BYTES,
        (long) blockRows * outputStride * Float.BYTES);
  }

  private TileKernel fewRows(int rows, int inputStride, int outputStride, boolean accumulate) {
    return weights == DType.BF16
        ? new FewRowsKernel(rows, inputs, inputStride, outputStride, accumulate, fewRows)
        : new VectorTileKernel(
            rows, inputs, weights, inputStride, outputStride, accumulate, anyRows);
  }
}
