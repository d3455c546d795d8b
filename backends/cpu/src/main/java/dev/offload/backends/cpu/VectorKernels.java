package dev.offload.backends.cpu;

import dev.offload.tensors.DType;

/** Products in plain Java, for machines that oneDNN is not built for. */
final class VectorKernels implements PanelKernels {
  private final String reason;
  private final Scratch.Pool scratches = VectorTileKernel.newScratches();

  /**
   * @param reason why they are used, for reports
   */
  VectorKernels(String reason) {
    this.reason = reason;
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
    return new PlainPanels(
        weights,
        inputs,
        1,
        (x, xOffset, stride, rows) ->
            new VectorTileKernel(x, xOffset, stride, rows, inputs, weights, scratches));
  }

  @Override
  public void close() {}
}
