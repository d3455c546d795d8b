package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.DType;
import org.junit.jupiter.api.Test;

class DnnlTest {
  /** It would work with memory that oneDNN has freed. */
  @Test
  void shouldRefuseToMakeAnythingOnceClosed() {
    Dnnl dnnl = OpenDnnl.orSkip();
    dnnl.close();
    Exception refused =
        assertThrows(
            IllegalStateException.class, () -> dnnl.bestOrder(DType.F32, 96, TileKernel.COLUMNS));
    assertTrue(refused.getMessage().contains("closed"), refused.getMessage());
  }
}
