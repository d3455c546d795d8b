package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Matrix products in plain Java, for machines that oneDNN is not built for. Weights are packed into
 * panels of {@link TileKernel#COLUMNS} outputs, each input by input, in their own format; left
 * operands are F32.
 */
final class VectorMatrixProduct implements MatrixProduct {
  private final WorkerPool workers;
  private final String reason;
  private final TiledProduct tiles;
  private final Scratch.Pool scratches = VectorTileKernel.newScratches();

  /**
   * Does not own the workers.
   *
   * @param reason why it is used, for reports
   */
  VectorMatrixProduct(WorkerPool workers, String reason) {
    this.workers = workers;
    this.reason = reason;
    tiles = new TiledProduct(workers);
  }

  @Override
  public String describe() {
    return "Java vectors of %d bits (%s)".formatted(Lanes.FLOATS.vectorBitSize(), reason);
  }

  @Override
  public DType input(DType weights) {
    return DType.F32;
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return true;
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return TileKernel.panels(outputs) * panelBytes(dtype, inputs);
  }

  private static long panelBytes(DType dtype, int inputs) {
    return (long) inputs * TileKernel.COLUMNS * dtype.bytes();
  }

  @Override
  public void pack(Weight rowMajor, Weight packed) {
    MemorySegment from = CpuBuffer.segment(rowMajor.buffer());
    MemorySegment to = CpuBuffer.segment(packed.buffer());
    DType dtype = rowMajor.dtype();
    int inputs = rowMajor.inputs();
    workers.parallelFor(
        TileKernel.panels(rowMajor.outputs()),
        panel -> {
          int first = panel * TileKernel.COLUMNS;
          int rows = Math.min(TileKernel.COLUMNS, rowMajor.outputs() - first);
          PanelTranspose.transpose(
              from,
              rowMajor.offset() + (long) first * inputs * dtype.bytes(),
              to,
              packed.offset() + panel * panelBytes(dtype, inputs),
              dtype.bytes(),
              rows,
              inputs);
        });
  }

  @Override
  public void multiply(
      Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
    DType weights = groups.getFirst().weight().dtype();
    int inputs = x.columns();
    tiles.multiply(
        x,
        groups,
        biases,
        accumulate,
        out,
        DType.F32,
        panelBytes(weights, inputs),
        (rows, inputStride, outputStride, add) ->
            new VectorTileKernel(rows, inputs, weights, inputStride, outputStride, add, scratches));
  }

  @Override
  public void close() {
    tiles.close();
  }
}
