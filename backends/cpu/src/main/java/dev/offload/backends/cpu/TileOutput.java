package dev.offload.backends.cpu;

import dev.offload.backends.api.Vector;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * A tile on its way from a kernel to a matrix: what kernels do not do themselves (bias, adding to
 * what was there, narrow formats, fewer columns than a panel has) is done here, while the tile is
 * still in the cache. Owned by one task at a time.
 */
final class TileOutput {
  /** Bytes of the largest tile. */
  static final long BYTES = (long) TiledProduct.MAX_ROWS * TileKernel.COLUMNS * Float.BYTES;

  private final MemorySegment tile;
  private final float[] sums = new float[TileKernel.COLUMNS];
  private final float[] addend = new float[TileKernel.COLUMNS];
  private final float[] biases = new float[TileKernel.COLUMNS];

  TileOutput(MemorySegment tile) {
    this.tile = tile;
  }

  /** Where a kernel writes: rows of {@link TileKernel#COLUMNS} F32 without gaps. */
  MemorySegment tile() {
    return tile;
  }

  /** Adds a bias to a whole panel of an F32 matrix. */
  void addBias(Vector bias, MatrixRows out, int firstRow, int rows, int column) {
    loadBias(bias, column, TileKernel.COLUMNS);
    for (int row = firstRow; row < firstRow + rows; row++) {
      out.load(row, column, TileKernel.COLUMNS, sums, 0);
      add(sums, biases);
      out.store(sums, 0, row, column, TileKernel.COLUMNS);
    }
  }

  /**
   * Writes the tile to a matrix.
   *
   * @param bias added if not null
   * @param accumulate whether the old contents are added
   */
  void store(
      Vector bias,
      boolean accumulate,
      MatrixRows out,
      int firstRow,
      int rows,
      int column,
      int columns) {
    if (bias != null) {
      loadBias(bias, column, columns);
    }
    for (int row = 0; row < rows; row++) {
      long offset = (long) row * TileKernel.COLUMNS * Float.BYTES;
      RowCodec.load(tile, offset, DType.F32, sums, 0, TileKernel.COLUMNS);
      if (bias != null) {
        add(sums, biases);
      }
      if (accumulate) {
        out.load(firstRow + row, column, columns, addend, 0);
        add(sums, addend);
      }
      out.store(sums, 0, firstRow + row, column, columns);
    }
  }

  private void loadBias(Vector bias, int column, int columns) {
    long offset = bias.offset() + (long) column * Float.BYTES;
    RowCodec.load(CpuBuffer.segment(bias.buffer()), offset, DType.F32, biases, 0, columns);
  }

  private static void add(float[] sums, float[] addend) {
    for (int i = 0; i < TileKernel.COLUMNS; i++) {
      sums[i] += addend[i];
    }
  }
}
