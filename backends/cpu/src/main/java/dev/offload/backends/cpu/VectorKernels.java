package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/** Products in plain Java, for machines that oneDNN is not built for. */
final class VectorKernels implements PanelKernels {
  private final String reason;
  private final Scratch.Pool manyRows;
  private final PlainPanels.FewRows fewRows;

  /**
   * @param reason why they are used, for reports
   * @param budget that scratch counts against
   */
  VectorKernels(String reason, MemoryBudget budget) {
    this.reason = reason;
    manyRows = VectorTileKernel.newScratches(budget);
    fewRows = new PlainPanels.FewRows(budget);
  }

  @Override
  public String describe() {
    return "Java vectors of %d bits (%s)".formatted(Lanes.FLOATS.vectorBitSize(), reason);
  }

  @Override
  public DType input(DType weights) {
    return DType.F32;
  }

  @Override
  public PanelFormat format(DType weights, int inputs) {
    return new PlainPanels(weights, inputs, 1, new ManyRows(weights, inputs), fewRows);
  }

  @Override
  public void dropScratch() {
    manyRows.drop();
    fewRows.drop();
  }

  @Override
  public void close() {}

  private final class ManyRows implements PlainPanels.ManyRows {
    private final DType weights;
    private final int inputs;

    ManyRows(DType weights, int inputs) {
      this.weights = weights;
      this.inputs = inputs;
    }

    @Override
    public TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows) {
      return new VectorTileKernel(x, xOffset, stride, rows, inputs, weights, manyRows);
    }

    @Override
    public long taskBytes() {
      return manyRows.bytes();
    }
  }
}
