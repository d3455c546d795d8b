package dev.offload.backends.cpu;

import dev.offload.tensors.DType;

/**
 * Products in oneDNN. Where rows and weights have the same format, F32 and on processors that
 * multiply it BF16, weights lie in the order oneDNN likes best; others are widened and multiplied
 * in F32.
 */
final class OneDnnKernels implements PanelKernels {
  private final Dnnl dnnl;
  private final boolean narrowInputs;
  private final PlainProducts products;
  private final ScratchMemory scratches = WideningTileKernel.newScratches();

  /** Owns the library; formats as they suit the processor. */
  OneDnnKernels(Dnnl dnnl) {
    this(dnnl, dnnl.multipliesBf16());
  }

  /**
   * @param narrowInputs whether left operands of BF16 weights are BF16 too; for processors that
   *     multiply that format themselves
   */
  OneDnnKernels(Dnnl dnnl, boolean narrowInputs) {
    this.dnnl = dnnl;
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
      return new BlockedPanels(dnnl, weights, inputs);
    }
    return new PlainPanels(
        weights,
        inputs,
        WideningTileKernel.ROW_BLOCK,
        (x, xOffset, stride, rows) ->
            new WideningTileKernel(x, xOffset, stride, rows, inputs, weights, products, scratches));
  }

  /** Sizes for which oneDNN compiled plain products so far. */
  int compiledSizes() {
    return products.compiledSizes();
  }

  @Override
  public void close() {
    scratches.close();
    dnnl.close();
  }
}
