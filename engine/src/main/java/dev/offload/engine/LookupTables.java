package dev.offload.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.engine.pass.RowTable;
import dev.offload.tensors.Conversion;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.WeightSource;
import dev.offload.tensors.weights.WeightUnit;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * The tables in which tokens and positions are looked up, on the host: in memory, or row by row
 * from the model's files.
 *
 * @param tokens [vocabulary, embedding width]
 * @param positions [positions, hidden], if positions are learned
 */
record LookupTables(RowTable tokens, Optional<RowTable> positions) {

  /**
   * @param inMemory copy the tables to host memory
   * @param owned receives what has to be closed
   */
  static LookupTables load(
      EngineModel model, Device device, boolean inMemory, List<AutoCloseable> owned) {
    WeightUnit embedding = model.embedding();
    return new LookupTables(
        scaled(
            table(embedding.find(Role.TOKEN_TABLE).orElseThrow(), model, device, inMemory, owned),
            model.config().embedding().scale()),
        embedding
            .find(Role.POSITION_TABLE)
            .map(parameter -> table(parameter, model, device, inMemory, owned)));
  }

  private static RowTable table(
      Parameter parameter,
      EngineModel model,
      Device device,
      boolean inMemory,
      List<AutoCloseable> owned) {
    if (!inMemory) {
      return new SourceTable(parameter, model.weights());
    }
    PinnedBuffer rows = device.allocatePinned("lookup table", parameter.bytes());
    owned.add(rows);
    model
        .weights()
        .read(parameter, parameter.dtype(), rows.segment().asSlice(0, parameter.bytes()));
    return new MemoryTable(parameter.columns(), parameter.dtype(), rows.segment());
  }

  private static RowTable scaled(RowTable table, float scale) {
    return scale == 1 ? table : new ScaledTable(table, scale);
  }

  private record ScaledTable(RowTable table, float scale) implements RowTable {
    @Override
    public int columns() {
      return table.columns();
    }

    @Override
    public void read(int row, MemorySegment to, long offset) {
      table.read(row, to, offset);
      for (long at = offset; at < offset + 4L * columns(); at += 4) {
        to.set(JAVA_FLOAT, at, to.get(JAVA_FLOAT, at) * scale);
      }
    }
  }

  private record MemoryTable(int columns, DType dtype, MemorySegment rows) implements RowTable {
    @Override
    public void read(int row, MemorySegment to, long offset) {
      Conversion.copy(
          rows, (long) row * columns * dtype.bytes(), dtype, to, offset, DType.F32, columns);
    }
  }

  private record SourceTable(Parameter parameter, WeightSource source) implements RowTable {
    @Override
    public int columns() {
      return parameter.columns();
    }

    @Override
    public void read(int row, MemorySegment to, long offset) {
      source.read(parameter.range(row, 1), DType.F32, to.asSlice(offset, 4L * parameter.columns()));
    }
  }
}
