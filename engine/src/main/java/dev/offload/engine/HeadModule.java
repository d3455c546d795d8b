package dev.offload.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
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
import dev.offload.engine.pass.Pass;
import dev.offload.engine.weights.UnitView;
import dev.offload.engine.weights.WeightStore;
import dev.offload.planner.Work.Located;
import dev.offload.sampling.BestLogits;
import dev.offload.sampling.RowLogits;
import dev.offload.sampling.WantedLogits;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Final norm and logits of the rows that need them. Rows come in two kinds, first those that are
 * wanted whole, then those of which the largest logits are. Device steps enqueue only. Owns its
 * buffers.
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

  /** Enqueues the search for the largest logits of the rows that are not wanted whole. */
  void findBest(Stream stream, Pass pass) {
    WantedLogits wanted = pass.best().orElseThrow();
    int count = pass.logitsRows() - pass.wholeRows();
    operations.largest(
        stream,
        workspace.logits(pass.logitsRows()).rows(pass.wholeRows(), count),
        workspace.largestLogits(count, wanted.best()),
        workspace.largestTokens(count, wanted.best()),
        wanted.sum()
            ? Optional.of(workspace.exponentials(count, wanted.best()))
            : Optional.empty());
  }

  /** Whole rows go to the host, and behind them what is wanted of the others. */
  void download(Stream stream, Pass pass) {
    if (pass.wholeRows() > 0) {
      Matrix logits = workspace.logits(pass.wholeRows());
      stream.copyToHost(
          logits.buffer(), logits.offset(), hostLogits, 0, wholeBytes(pass.wholeRows()));
    }
    if (pass.best().isPresent()) {
      int count = pass.logitsRows() - pass.wholeRows();
      WantedLogits wanted = pass.best().get();
      Matrix largest = workspace.largestLogits(count, wanted.best());
      stream.copyToHost(
          largest.buffer(),
          largest.offset(),
          hostLogits,
          wholeBytes(pass.wholeRows()),
          4L * count * wanted.numbers());
    }
  }

  /** What is wanted of the logits of a row of a pass; valid until the next pass. */
  RowLogits logits(Pass pass, int row) {
    MemorySegment all = hostLogits.segment();
    if (row < pass.wholeRows()) {
      return new RowLogits.All(all.asSlice(wholeBytes(row), wholeBytes(1)));
    }
    int count = pass.logitsRows() - pass.wholeRows();
    int number = row - pass.wholeRows();
    WantedLogits wanted = pass.best().orElseThrow();
    long bytes = 4L * wanted.best();
    MemorySegment values = all.asSlice(wholeBytes(pass.wholeRows()));
    MemorySegment tokens = values.asSlice(count * bytes);
    float sum =
        wanted.sum() ? tokens.asSlice(count * bytes).getAtIndex(JAVA_FLOAT, number) : Float.NaN;
    return new BestLogits(
        values.asSlice(number * bytes, bytes), tokens.asSlice(number * bytes, bytes), sum);
  }

  private long wholeBytes(int rows) {
    return 4L * rows * model.vocabularySize();
  }

  @Override
  public void close() {
    hostLogits.close();
    rows.close();
    hostRows.close();
  }
}
