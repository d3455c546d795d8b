package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PanelOrderTest {

  /** Experts get another number of rows in every pass; compiling for each would never end. */
  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldCompileForFewNumbersOfRows(DType weights) {
    try (Dnnl dnnl = OpenDnnl.orSkip()) {
      PanelOrder order = new PanelOrder(dnnl, DType.F32, weights, 32);
      for (int rows = 1; rows <= TiledProduct.MAX_ROWS; rows++) {
        order.kernel(rows, 32, 64, false);
      }
      assertTrue(order.compiledSizes() <= 23, () -> order.compiledSizes() + " sizes");
    }
  }
}
