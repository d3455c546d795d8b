package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import org.junit.jupiter.api.Test;

/** Experts get another number of rows in every pass; compiling for each would never end. */
class CompiledSizesTest {

  @Test
  void shouldCompilePlainProductsForFewNumbersOfRows() {
    try (Dnnl dnnl = OpenDnnl.orSkip();
        OneDnnKernels kernels = new OneDnnKernels(dnnl, false)) {
      PanelFormat format = kernels.format(DType.BF16, 32);
      askForAllRows(format);
      assertTrue(kernels.compiledSizes() <= 29, () -> kernels.compiledSizes() + " sizes");
    }
  }

  @Test
  void shouldCompileBlockedProductsForFewNumbersOfRows() {
    try (Dnnl dnnl = OpenDnnl.withBf16OrSkip()) {
      BlockedPanels format = new BlockedPanels(dnnl, 32);
      askForAllRows(format);
      assertTrue(format.compiledSizes() <= 23, () -> format.compiledSizes() + " sizes");
    }
  }

  private static void askForAllRows(PanelFormat format) {
    for (int rows = 1; rows <= TiledProduct.MAX_ROWS; rows++) {
      format.kernel(rows, 32, 64, false);
    }
  }
}
