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
import dev.offload.engine.weights.UnitView;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.Role;
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
   * Enqueues the head.
   *
   * @param residual [tokens of the pass, hidden]
   * @param count rows of logits
   */
  void run(Stream stream, UnitView weights, Matrix residual, int count) {
    if (count == 0) {
      return;
    }
    Optional<NormSpec> norm =
        weights.norm(model.finalNorm(), Role.FINAL_NORM, Role.FINAL_NORM_BIAS);
    Matrix last = workspace.projected(count);
    Matrix x = workspace.selected(count);
    operations.gatherRows(stream, residual, new Indices(rows, 0, count), last);
    norm.ifPresentOrElse(
        spec -> operations.norm(stream, last, spec, x), () -> operations.convert(stream, last, x));
    Matrix in = x;
    if (model.embedding().width() != model.hiddenSize()) {
      in = workspace.narrowed(count);
      operations.matmul(stream, x, weights.weight(Role.PROJECT_OUT), Optional.empty(), false, in);
    }
    Matrix logits = workspace.logits(count);
    operations.matmul(stream, in, weights.weight(Role.OUTPUT), Optional.empty(), false, logits);
    if (model.head().softCap() > 0) {
      operations.softCap(stream, logits, model.head().softCap());
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
