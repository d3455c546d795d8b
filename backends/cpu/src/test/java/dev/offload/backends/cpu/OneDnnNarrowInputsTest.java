package dev.offload.backends.cpu;

/**
 * BF16 times BF16, as on processors that have an instruction for it; oneDNN emulates it elsewhere.
 */
class OneDnnNarrowInputsTest extends MatrixProductContract {
  @Override
  MatrixProduct newProduct(WorkerPool workers) {
    return new OneDnnMatrixProduct(OpenDnnl.orSkip(), workers, true);
  }
}
