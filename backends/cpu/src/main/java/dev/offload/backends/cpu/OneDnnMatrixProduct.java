package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Matrix products in oneDNN. Weights are packed into panels of {@link TileKernel#COLUMNS} outputs,
 * each in the order oneDNN likes best here. oneDNN compiles code for each size, about a millisecond
 * each, so products are kept; sizes stay few because no tile has more than {@link
 * TiledProduct#MAX_ROWS} rows.
 */
final class OneDnnMatrixProduct implements MatrixProduct {
  private final Dnnl dnnl;
  private final boolean narrowInputs;
  private final WorkerPool workers;
  private final TiledProduct tiles;
  private final Map<OrderKey, PanelOrder> orders = new ConcurrentHashMap<>();

  /** Owns the library, not the workers; formats as they suit the processor. */
  OneDnnMatrixProduct(Dnnl dnnl, WorkerPool workers) {
    this(dnnl, workers, dnnl.multipliesBf16());
  }

  /**
   * @param narrowInputs whether left operands of BF16 weights are BF16 too; for processors that
   *     multiply that format themselves
   */
  OneDnnMatrixProduct(Dnnl dnnl, WorkerPool workers, boolean narrowInputs) {
    this.dnnl = dnnl;
    this.workers = workers;
    this.narrowInputs = narrowInputs;
    tiles = new TiledProduct(workers);
  }

  @Override
  public String describe() {
    return "oneDNN with " + dnnl.instructionSet();
  }

  @Override
  public DType input(DType weights) {
    return weights == DType.BF16 && narrowInputs ? DType.BF16 : DType.F32;
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return true;
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return TileKernel.panels(outputs) * order(dtype, inputs).bytes();
  }

  @Override
  public void pack(Weight rowMajor, Weight packed) {
    PanelOrder order = order(rowMajor.dtype(), rowMajor.inputs());
    MemorySegment from = CpuBuffer.segment(rowMajor.buffer());
    MemorySegment to = CpuBuffer.segment(packed.buffer());
    long rowBytes = (long) rowMajor.inputs() * rowMajor.dtype().bytes();
    workers.parallelFor(
        TileKernel.panels(rowMajor.outputs()),
        panel -> {
          int first = panel * TileKernel.COLUMNS;
          int rows = Math.min(TileKernel.COLUMNS, rowMajor.outputs() - first);
          order.pack(
              from.asSlice(rowMajor.offset() + first * rowBytes, rows * rowBytes),
              TileKernel.COLUMNS * rowBytes,
              to.asSlice(packed.offset() + panel * order.bytes(), order.bytes()));
        });
  }

  @Override
  public void multiply(
      Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
    DType weights = groups.getFirst().weight().dtype();
    PanelOrder order = order(weights, x.columns());
    tiles.multiply(
        x, groups, biases, accumulate, out, input(weights), order.bytes(), order::kernel);
  }

  @Override
  public void close() {
    tiles.close();
    dnnl.close();
  }

  private PanelOrder order(DType weights, int inputs) {
    return orders.computeIfAbsent(
        new OrderKey(weights, inputs),
        key -> new PanelOrder(dnnl, input(weights), weights, inputs));
  }

  private record OrderKey(DType weights, int inputs) {}
}
