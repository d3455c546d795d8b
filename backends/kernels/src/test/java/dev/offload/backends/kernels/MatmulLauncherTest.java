package dev.offload.backends.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MatmulLauncherTest {
  private static final int LOCAL_BYTES = 32 << 10;

  /** Keeps what it is given. */
  private record Launches(Limits limits, List<Launch> all) implements KernelLauncher {
    @Override
    public void launch(Stream stream, Launch launch) {
      all.add(launch);
    }

    @Override
    public DeviceBuffer scratch(Stream stream) {
      throw new AssertionError("products by a kernel need none");
    }
  }

  private record NoMemory(long bytes) implements DeviceBuffer {
    @Override
    public void close() {}
  }

  private static Launch launch(Limits limits, int rows, int outputs) {
    DeviceBuffer memory = new NoMemory(1 << 20);
    Launches launches = new Launches(limits, new ArrayList<>());
    new MatmulLauncher(launches)
        .multiply(
            null,
            Matrix.dense(memory, 0, DType.BF16, rows, 40),
            new Weight(memory, 0, DType.BF16, outputs, 40, false),
            Optional.empty(),
            false,
            Matrix.dense(memory, 0, DType.F32, rows, outputs));
    return launches.all().getFirst();
  }

  @Test
  void shouldTakeTilesForManyRowsWhereLocalMemoryIsDedicated() {
    Limits limits = new Limits(256, LOCAL_BYTES, false, 8, true);
    assertEquals("matmul", launch(limits, 1, 130).kernel());
    assertEquals("matmul", launch(limits, 16, 130).kernel());
    Launch tiled = launch(limits, 65, 130);
    assertEquals("matmul_tiled", tiled.kernel());
    assertEquals(3, tiled.groups());
    assertEquals(2, tiled.secondGroups());
    assertEquals(256, tiled.items());
    assertTrue(tiled.localBytes() > 0 && tiled.localBytes() <= LOCAL_BYTES);
    // A panel is multiplied as the whole is.
    assertEquals("matmul_tiled", launch(limits, 17, 1).kernel());
  }

  @Test
  void shouldTakeNoTilesWhereTheyDoNotFitOrSaveNothing() {
    int bytes = launch(new Limits(256, LOCAL_BYTES, false, 8, true), 65, 130).localBytes();
    for (Limits limits :
        List.of(
            new Limits(256, LOCAL_BYTES, false, 8, false),
            new Limits(255, LOCAL_BYTES, false, 8, true),
            new Limits(256, bytes - 1, false, 8, true))) {
      Launch launch = launch(limits, 65, 130);
      assertEquals("matmul", launch.kernel());
      assertEquals(0, launch.localBytes());
    }
    assertEquals("matmul_tiled", launch(new Limits(256, bytes, false, 8, true), 65, 130).kernel());
  }
}
