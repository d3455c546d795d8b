package dev.offload.backends.cpu;

import dev.offload.tensors.DType;

/** F32 in oneDNN's order: what BF16 takes where the processor multiplies it, on every machine. */
class BlockedPanelsTest extends MatrixProductContract {
  @Override
  MatrixProduct newProduct(WorkerPool workers) {
    return new PanelMatrixProduct(new BlockedF32(OpenDnnl.orSkip()), workers);
  }

  private record BlockedF32(Dnnl dnnl, PanelKernels others) implements PanelKernels {
    BlockedF32(Dnnl dnnl) {
      this(dnnl, new VectorKernels("a test"));
    }

    @Override
    public String describe() {
      return "F32 in oneDNN's order";
    }

    @Override
    public DType input(DType weights) {
      return DType.F32;
    }

    @Override
    public PanelFormat format(DType weights, int inputs) {
      return weights == DType.F32
          ? new BlockedPanels(dnnl, DType.F32, inputs)
          : others.format(weights, inputs);
    }

    @Override
    public void close() {
      others.close();
      dnnl.close();
    }
  }
}
