package dev.offload.backends.cpu;

/**
 * BF16 times BF16, as on processors that have an instruction for it; with AVX-512 but without that
 * instruction oneDNN emulates it.
 */
class OneDnnNarrowInputsTest extends MatrixProductContract {
  @Override
  MatrixProduct newProduct(WorkerPool workers) {
    return new PanelMatrixProduct(
        new OneDnnKernels(OpenDnnl.withBf16OrSkip(), true, Plenty.budget()),
        workers,
        Plenty.budget());
  }
}
