package dev.offload.backends.cpu;

import dev.offload.backends.api.MemoryBudget;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * Products in oneDNN. Where rows and weights have the same format, F32 and on processors that
 * multiply it BF16, weights lie in the order oneDNN likes best; others are widened and multiplied
 * in F32.
 */
final class OneDnnKernels implements PanelKernels {
  private final Dnnl dnnl;
  private final boolean narrowInputs;
  private final PlainProducts products;
  private final ScratchMemory widened;
  private final PlainPanels.FewRows fewRows;
  private final Scratch.Pool pairedRows;

  /** Owns the library; formats as they suit the processor. */
  OneDnnKernels(Dnnl dnnl, MemoryBudget budget) {
    this(dnnl, dnnl.multipliesBf16(), budget);
  }

  /**
   * @param narrowInputs whether left operands of BF16 weights are BF16 too; for processors that
   *     multiply that format themselves
   * @param budget that scratch counts against
   */
  OneDnnKernels(Dnnl dnnl, boolean narrowInputs, MemoryBudget budget) {
    this.dnnl = dnnl;
    widened = WideningTileKernel.newScratches(budget);
    fewRows = new PlainPanels.FewRows(budget);
    pairedRows = PairedRowsKernel.newScratches(budget);
    this.narrowInputs = narrowInputs;
    products = new PlainProducts(dnnl);
  }

  @Override
  public String describe() {
    return "oneDNN with " + dnnl.instructionSet();
  }

  @Override
  public DType input(DType weights) {
    return weights == DType.BF16 && narrowInputs ? DType.BF16 : DType.F32;
  }

  @Override
  public PanelFormat format(DType weights, int inputs) {
    if (input(weights) == weights) {
      return new BlockedPanels(dnnl, weights, inputs, pairedRows);
    }
    return new PlainPanels(
        weights, inputs, WideningTileKernel.ROW_BLOCK, new ManyRows(weights, inputs), fewRows);
  }

  /** Sizes for which oneDNN compiled plain products so far. */
  int compiledSizes() {
    return products.compiledSizes();
  }

  @Override
  public void dropScratch() {
    widened.drop();
    fewRows.drop();
    pairedRows.drop();
  }

  @Override
  public void close() {
    dnnl.close();
  }

  private final class ManyRows implements PlainPanels.ManyRows {
    private final DType weights;
    private final int inputs;

    ManyRows(DType weights, int inputs) {
      this.weights = weights;
      this.inputs = inputs;
    }

    @Override
    public TileKernel kernel(MemorySegment x, long xOffset, int stride, int rows) {
      return new WideningTileKernel(x, xOffset, stride, rows, inputs, weights, products, widened);
    }

    @Override
    public long taskBytes() {
      return WideningTileKernel.SCRATCH_BYTES;
    }
  }
}
