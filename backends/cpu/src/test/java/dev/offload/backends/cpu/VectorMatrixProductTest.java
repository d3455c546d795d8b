package dev.offload.backends.cpu;

class VectorMatrixProductTest extends MatrixProductContract {
  @Override
  MatrixProduct newProduct(WorkerPool workers) {
    return new PanelMatrixProduct(
        new VectorKernels("a test", Plenty.budget()), workers, Plenty.budget());
  }
}
