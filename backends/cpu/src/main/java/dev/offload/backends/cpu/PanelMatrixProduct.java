package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Matrix products with weights packed into panels of {@link TileKernel#COLUMNS} outputs, which some
 * {@link PanelKernels} multiply tile by tile.
 */
final class PanelMatrixProduct implements MatrixProduct {
  private final PanelKernels kernels;
  private final WorkerPool workers;
  private final TiledProduct tiles;
  private final Map<FormatKey, PanelFormat> formats = new ConcurrentHashMap<>();

  /**
   * Owns the kernels, not the workers.
   *
   * @param budget that scratch counts against
   */
  PanelMatrixProduct(PanelKernels kernels, WorkerPool workers, MemoryBudget budget) {
    this.kernels = kernels;
    this.workers = workers;
    tiles = new TiledProduct(workers, budget);
  }

  @Override
  public String describe() {
    return kernels.describe();
  }

  @Override
  public DType input(DType weights) {
    return kernels.input(weights);
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return true;
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return TileKernel.panels(outputs) * format(dtype, inputs).bytes();
  }

  @Override
  public long scratchBytes(DType weights, OperationSizes.Product largest) {
    return tiles.scratchBytes(largest, format(weights, largest.inputs()));
  }

  @Override
  public void pack(Weight rowMajor, Weight packed) {
    PanelFormat format = format(rowMajor.dtype(), rowMajor.inputs());
    MemorySegment from = CpuBuffer.segment(rowMajor.buffer());
    MemorySegment to = CpuBuffer.segment(packed.buffer());
    long rowBytes = (long) rowMajor.inputs() * rowMajor.dtype().bytes();
    workers.parallelFor(
        TileKernel.panels(rowMajor.outputs()),
        panel -> {
          int first = panel * TileKernel.COLUMNS;
          format.pack(
              from,
              rowMajor.offset() + first * rowBytes,
              Math.min(TileKernel.COLUMNS, rowMajor.outputs() - first),
              to,
              packed.offset() + panel * format.bytes());
        });
  }

  @Override
  public void multiply(
      Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
    DType weights = groups.getFirst().weight().dtype();
    tiles.multiply(
        x, groups, biases, accumulate, out, input(weights), format(weights, x.columns()));
  }

  @Override
  public void dropScratch() {
    tiles.dropScratch();
    kernels.dropScratch();
  }

  @Override
  public void close() {
    dropScratch();
    kernels.close();
  }

  private PanelFormat format(DType weights, int inputs) {
    return formats.computeIfAbsent(
        new FormatKey(weights, inputs), key -> kernels.format(key.weights, key.inputs));
  }

  private record FormatKey(DType weights, int inputs) {}
}
