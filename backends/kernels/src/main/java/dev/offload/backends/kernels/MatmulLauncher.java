package dev.offload.backends.kernels;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import java.util.Optional;

/** Launches matmul.cl, whose tile sizes these are. */
final class MatmulLauncher {
  private static final int TILE_ROWS = 32;
  private static final int TILE_OUTPUTS = 64;
  private static final int TILE_INPUTS = 16;
  private static final int ITEMS = 128;

  private final KernelLauncher launcher;

  MatmulLauncher(KernelLauncher launcher) {
    this.launcher = launcher;
  }

  void multiply(
      Stream stream,
      Matrix x,
      Weight weight,
      Optional<Vector> bias,
      boolean accumulate,
      Matrix out) {
    if (x.rows() == 0) {
      return;
    }
    launcher.launch(
        stream,
        new Launch("matmul", "matmul")
            .define("X_TYPE", KernelNumbers.of(x.dtype()))
            .define("W_TYPE", KernelNumbers.of(weight.dtype()))
            .matrix(x)
            .integer(x.rows())
            .integer(x.columns())
            .memory(weight.buffer(), weight.offset())
            .integer(weight.outputs())
            .vector(bias)
            .integer(accumulate ? 1 : 0)
            .matrix(out)
            .groups(Math.ceilDiv(weight.outputs(), TILE_OUTPUTS), Math.ceilDiv(x.rows(), TILE_ROWS))
            .items(ITEMS)
            .localFloats((long) TILE_INPUTS * (TILE_ROWS + TILE_OUTPUTS)));
  }
}
