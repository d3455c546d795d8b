package dev.offload.backends.kernels;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import java.util.Optional;

/** Launches matmul.cl, whose sizes these are. */
final class MatmulLauncher {
  private static final int ITEM_ROWS = 4;
  private static final int ITEM_OUTPUTS = 3;
  private static final int ITEMS = 64;

  /** Work-items one below the other, if there are rows for more than one. */
  private static final int ROW_ITEMS = 4;

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
    int rowItems = x.rows() > ITEM_ROWS ? ROW_ITEMS : 1;
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
            .integer(rowItems)
            .matrix(out)
            .groups(
                Math.ceilDiv(weight.outputs(), ITEM_OUTPUTS * ITEMS / rowItems),
                Math.ceilDiv(x.rows(), ITEM_ROWS * rowItems))
            .items(ITEMS));
  }
}
