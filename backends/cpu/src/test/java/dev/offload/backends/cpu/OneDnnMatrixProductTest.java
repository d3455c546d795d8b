package dev.offload.backends.cpu;

class OneDnnMatrixProductTest extends MatrixProductContract {
  @Override
  MatrixProduct newProduct(WorkerPool workers) {
    return new PanelMatrixProduct(
        new OneDnnKernels(OpenDnnl.orSkip(), false, Plenty.budget()), workers, Plenty.budget());
  }
}
