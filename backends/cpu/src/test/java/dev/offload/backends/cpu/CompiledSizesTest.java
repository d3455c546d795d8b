package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Experts get another number of rows in every pass; compiling for each would never end. */
class CompiledSizesTest {
  private static final int INPUTS = 32;

  @Test
  void shouldCompilePlainProductsForFewNumbersOfRows() {
    try (Dnnl dnnl = OpenDnnl.orSkip();
        OneDnnKernels kernels = new OneDnnKernels(dnnl, false, Plenty.budget())) {
      PanelFormat format = kernels.format(DType.BF16, INPUTS);
      askForAllRows(format);
      assertTrue(kernels.compiledSizes() <= 29, () -> kernels.compiledSizes() + " sizes");
    }
  }

  @Test
  void shouldCompileBlockedProductsForFewNumbersOfRows() {
    try (Dnnl dnnl = OpenDnnl.orSkip()) {
      BlockedPanels format =
          new BlockedPanels(
              dnnl, DType.F32, INPUTS, PairedRowsKernel.newScratches(Plenty.budget()));
      askForAllRows(format);
      assertTrue(format.compiledSizes() <= 23, () -> format.compiledSizes() + " sizes");
    }
  }

  private static void askForAllRows(PanelFormat format) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment x = arena.allocate(TiledProduct.MAX_ROWS * INPUTS * Float.BYTES, 64);
      MemorySegment panel = arena.allocate(format.bytes(), 64);
      MemorySegment out = arena.allocate(TileOutput.BYTES, 64);
      for (int rows = 1; rows <= TiledProduct.MAX_ROWS; rows++) {
        float[] scratch = new float[format.scratchNumbers(rows)];
        format
            .kernel(x, 0, INPUTS, rows, scratch, 0)
            .multiply(panel, 0, out, 0, TileKernel.COLUMNS, false);
      }
    }
  }
}
