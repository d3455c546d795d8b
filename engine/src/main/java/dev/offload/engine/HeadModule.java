package dev.offload.engine;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.engine.weights.UnitView;
import dev.offload.engine.weights.WeightStore;
import dev.offload.planner.Work.Located;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Final norm and logits of the rows that need them. Device steps enqueue only. Owns its buffers.
 */
final class HeadModule implements AutoCloseable {
  private final Operations operations;
  private final Workspace workspace;
  private final ModelConfig model;
  private final PinnedBuffer hostRows;
  private final DeviceBuffer rows;
  private final PinnedBuffer hostLogits;

  HeadModule(Device device, Workspace workspace, ModelConfig model, int maxRows) {
    this.operations = device.operations();
    this.workspace = workspace;
    this.model = model;
    this.hostRows = device.allocatePinned("logits rows", 4L * maxRows);
    this.rows = device.allocate("logits rows", 4L * maxRows);
    this.hostLogits = device.allocatePinned("logits", 4L * maxRows * model.vocabularySize());
  }

  /** Names the row of the pass that a row of logits belongs to. */
  void select(int logitsRow, int passRow) {
    hostRows.segment().setAtIndex(JAVA_INT, logitsRow, passRow);
  }

  void upload(Stream stream, int count) {
    stream.copyToDevice(hostRows, 0, rows, 0, 4L * count);
  }

  /**
   * Enqueues all before the output matrix.
   *
   * @param weights absent if there is neither norm nor projection
   * @param residual [tokens of the pass, hidden]
   * @param count rows of logits
   */
  void collect(Stream stream, Optional<UnitView> weights, Matrix residual, int count) {
    if (count == 0) {
      return;
    }
    Optional<NormSpec> norm =
        weights.flatMap(
            unit -> unit.norm(model.finalNorm(), Role.FINAL_NORM, Role.FINAL_NORM_BIAS));
    Matrix last = workspace.projected(count);
    Matrix x = workspace.selected(count);
    operations.gatherRows(stream, residual, new Indices(rows, 0, count), last);
    norm.ifPresentOrElse(
        spec -> operations.norm(stream, last, spec, x), () -> operations.convert(stream, last, x));
    if (isNarrow()) {
      operations.matmul(
          stream,
          x,
          weights.orElseThrow().weight(Role.PROJECT_OUT),
          Optional.empty(),
          false,
          workspace.narrowed(count));
    }
  }

  private boolean isNarrow() {
    return model.embedding().width() != model.hiddenSize();
  }

  /** Enqueues the products with all slices of the output matrix in a granule. */
  void multiply(Stream stream, Located located, WeightStore store, int count) {
    if (count == 0) {
      return;
    }
    Matrix x = isNarrow() ? workspace.narrowed(count) : workspace.selected(count);
    for (UnitId id : located.granule().units()) {
      Weight slice = store.view(located, id).weight(Role.OUTPUT);
      Matrix logits = workspace.logits(count).columns(id.number(), slice.outputs());
      operations.matmul(stream, x, slice, Optional.empty(), false, logits);
      if (model.head().softCap() > 0) {
        operations.softCap(stream, logits, model.head().softCap());
      }
    }
  }

  void download(Stream stream, int count) {
    if (count > 0) {
      Matrix logits = workspace.logits(count);
      stream.copyToHost(
          logits.buffer(), logits.offset(), hostLogits, 0, 4L * count * model.vocabularySize());
    }
  }

  /** Logits of a row, F32; valid until the next pass. */
  MemorySegment logits(int row) {
    long bytes = 4L * model.vocabularySize();
    return hostLogits.segment().asSlice(row * bytes, bytes);
  }

  @Override
  public void close() {
    hostLogits.close();
    rows.close();
    hostRows.close();
  }
}
