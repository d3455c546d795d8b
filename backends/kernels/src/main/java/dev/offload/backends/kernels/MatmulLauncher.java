package dev.offload.backends.kernels;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import java.util.Optional;

/** Launches the kernels of matmul.cl, whose sizes these are. */
final class MatmulLauncher {
  private static final int ITEM_ROWS = 4;
  private static final int ITEM_OUTPUTS = 3;
  private static final int ITEMS = 64;

  /** Work-items one below the other, if there are rows for more than one. */
  private static final int ROW_ITEMS = 4;

  /** Rows and outputs of a work-group with tiles in local memory, and its work-items. */
  private static final int TILE = 64;

  private static final int TILE_ITEMS = 256;
  private static final int TILE_STRIDE = 36;
  private static final int TILE_FLOATS = 2 * TILE * TILE_STRIDE;

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
    boolean tiled = hasRoomForTiles() && x.rows() > ITEM_ROWS * ROW_ITEMS;
    Launch launch =
        new Launch("matmul", tiled ? "matmul_tiled" : "matmul")
            .define("X_TYPE", KernelNumbers.of(x.dtype()))
            .define("W_TYPE", KernelNumbers.of(weight.dtype()))
            .matrix(x)
            .integer(x.rows())
            .integer(x.columns())
            .memory(weight.buffer(), weight.offset())
            .integer(weight.outputs())
            .vector(bias)
            .integer(accumulate ? 1 : 0);
    if (tiled) {
      launch
          .matrix(out)
          .groups(Math.ceilDiv(weight.outputs(), TILE), Math.ceilDiv(x.rows(), TILE))
          .items(TILE_ITEMS)
          .localFloats(TILE_FLOATS);
    } else {
      int rowItems = x.rows() > ITEM_ROWS ? ROW_ITEMS : 1;
      launch
          .integer(rowItems)
          .matrix(out)
          .groups(
              Math.ceilDiv(weight.outputs(), ITEM_OUTPUTS * ITEMS / rowItems),
              Math.ceilDiv(x.rows(), ITEM_ROWS * rowItems))
          .items(ITEMS);
    }
    launcher.launch(stream, launch);
  }

  /**
   * Whether products of more rows than one work-group of the other kernel takes, which then reads
   * weights more than once, go through tiles. Sizes of the weight decide nothing: panels of one are
   * multiplied as the whole is.
   */
  private boolean hasRoomForTiles() {
    KernelLauncher.Limits limits = launcher.limits();
    return limits.dedicatedLocalMemory()
        && limits.groupItems() >= TILE_ITEMS
        && limits.localBytes() >= TILE_FLOATS * Float.BYTES;
  }
}
