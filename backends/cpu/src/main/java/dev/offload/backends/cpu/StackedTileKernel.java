package dev.offload.backends.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Two blocks of rows, one below the other.
 *
 * @param aboveRows rows of the first
 */
record StackedTileKernel(TileKernel above, int aboveRows, TileKernel below) implements TileKernel {
  @Override
  public void multiply(
      MemorySegment panel,
      long panelOffset,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate) {
    above.multiply(panel, panelOffset, out, outOffset, outStride, accumulate);
    below.multiply(panel, panelOffset, out, below(outOffset, outStride), outStride, accumulate);
  }

  @Override
  public void multiplyAll(
      MemorySegment panels,
      long panelOffset,
      long panelBytes,
      int count,
      MemorySegment out,
      long outOffset,
      int outStride,
      boolean accumulate) {
    above.multiplyAll(
        panels, panelOffset, panelBytes, count, out, outOffset, outStride, accumulate);
    long belowOffset = below(outOffset, outStride);
    below.multiplyAll(
        panels, panelOffset, panelBytes, count, out, belowOffset, outStride, accumulate);
  }

  private long below(long outOffset, int outStride) {
    return outOffset + (long) aboveRows * outStride * Float.BYTES;
  }
}
