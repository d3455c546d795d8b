package dev.offload.engine.pass;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.backends.api.Stream;
import dev.offload.engine.kvcache.BlockRuns;
import dev.offload.engine.kvcache.CachedPrefix;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.Rope;
import dev.offload.tensors.model.RopeTable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one micro-batch needs on the device: looked-up rows, rotations and block tables. Filled by
 * the engine thread between passes, copied in one piece. Owns its buffers.
 */
public final class MicroBatchInput implements AutoCloseable {
  private final int blockTokens;
  private final RowTable tokenRows;
  private final Optional<RowTable> positionRows;
  private final int positionOffset;
  private final List<Rope> ropes;
  private final List<RopeTable> ropeTables;
  private final PinnedBuffer host;
  private final DeviceBuffer device;
  private final Optional<DeviceBuffer> wrapped;
  private BatchLayout layout;
  private List<Chunk> chunks = List.of();
  private List<SharedPrefix> prefixes = List.of();
  private int tokens;
  private int maxBlocks;
  private int longestContext;

  /** What all micro-batches of a model have in common. */
  public record Model(
      RowTable tokenRows,
      Optional<RowTable> positionRows,
      int positionOffset,
      List<Rope> ropes,
      List<RopeTable> ropeTables,
      int blockTokens) {}

  /**
   * @param device where the micro-batch is computed
   * @param attendingHost the device that attends on the host, if this micro-batch's cache is there
   * @param tokens most tokens in a pass
   * @param sequences most sequences
   * @param blocks most cache blocks of one sequence
   */
  public MicroBatchInput(
      Model model,
      Device device,
      Optional<Device> attendingHost,
      int tokens,
      int sequences,
      int blocks) {
    this.tokenRows = model.tokenRows();
    this.positionRows = model.positionRows();
    this.positionOffset = model.positionOffset();
    this.ropes = model.ropes();
    this.ropeTables = ropes.stream().map(RopeTable::new).toList();
    this.blockTokens = model.blockTokens();
    long bytes =
        bytes(
            tokens,
            sequences,
            blocks,
            tokenRows.columns(),
            positionRows.map(RowTable::columns).orElse(0),
            ropes.stream().mapToInt(Rope::dimensions).sum());
    this.host = device.allocatePinned("micro-batch input", bytes);
    this.device = device.allocate("micro-batch input", bytes);
    this.wrapped = attendingHost.map(attending -> attending.wrap(host));
  }

  /** Bytes on the host, and again on the device. */
  public static long bytes(
      int tokens,
      int sequences,
      int blocks,
      int embeddingWidth,
      int positionWidth,
      int rotationFloats) {
    return BatchLayout.of(tokens, sequences, blocks, embeddingWidth, positionWidth, rotationFloats)
        .bytes();
  }

  /** Takes the chunks of the next pass. The copy of the last pass must be done. */
  public void fill(List<Chunk> next) {
    chunks = next;
    tokens = next.stream().mapToInt(Chunk::count).sum();
    maxBlocks = 1;
    longestContext = 0;
    for (Chunk chunk : next) {
      maxBlocks = Math.max(maxBlocks, blocksOf(chunk.contextLength()));
      longestContext = Math.max(longestContext, chunk.contextLength());
    }
    layout =
        BatchLayout.of(
            tokens,
            next.size(),
            maxBlocks,
            tokenRows.columns(),
            positionRows.map(RowTable::columns).orElse(0),
            ropes.stream().mapToInt(Rope::dimensions).sum());
    int row = 0;
    for (int s = 0; s < next.size(); s++) {
      fill(s, next.get(s), row);
      row += next.get(s).count();
    }
    setInt(layout.rowStarts(), next.size(), row);
    prefixes = prefixes(next);
  }

  /** Neighbours that lie behind the same prefix. */
  private static List<SharedPrefix> prefixes(List<Chunk> chunks) {
    List<SharedPrefix> prefixes = new ArrayList<>();
    for (int first = 0, end; first < chunks.size(); first = end) {
      Optional<CachedPrefix> prefix = chunks.get(first).prefixBehind();
      end = first + 1;
      while (end < chunks.size() && chunks.get(end).prefixBehind().equals(prefix)) {
        end++;
      }
      if (prefix.isPresent() && end - first > 1) {
        prefixes.add(new SharedPrefix(first, end - first, prefix.get().tokens()));
      }
    }
    return prefixes;
  }

  private void fill(int s, Chunk chunk, int firstRow) {
    Sequence sequence = chunk.sequence();
    setInt(layout.rowStarts(), s, firstRow);
    setInt(layout.contextLengths(), s, chunk.contextLength());
    long blocks = (long) s * maxBlocks;
    int used = blocksOf(chunk.contextLength());
    // Two loops: one with a condition is compiled anew whenever a sequence has fewer blocks.
    for (int b = 0; b < used; b++) {
      setInt(layout.blockTable(), blocks + b, sequence.blocks().block(b));
    }
    for (int b = used; b < maxBlocks; b++) {
      setInt(layout.blockTable(), blocks + b, 0);
    }
    for (int i = 0; i < chunk.count(); i++) {
      int position = chunk.first() + i;
      fillRow(sequence, position, firstRow + i);
      setInt(
          layout.slots(),
          firstRow + i,
          sequence.blocks().block(position / blockTokens) * blockTokens + position % blockTokens);
    }
  }

  private void fillRow(Sequence sequence, int position, int row) {
    MemorySegment to = host.segment();
    tokenRows.read(
        sequence.token(position), to, layout.embeddings() + 4L * row * tokenRows.columns());
    if (positionRows.isPresent()) {
      RowTable table = positionRows.get();
      table.read(position + positionOffset, to, layout.positions() + 4L * row * table.columns());
    }
    int lengthAtPass = Math.max(sequence.promptLength(), position + 1);
    long base = layout.rotations();
    for (int r = 0; r < ropes.size(); r++) {
      int dimensions = ropes.get(r).dimensions();
      ropeTables.get(r).write(position, lengthAtPass, to, base + 4L * row * dimensions);
      base += 4L * tokens * dimensions;
    }
  }

  private void setInt(long base, long index, int value) {
    host.segment().set(JAVA_INT, base + 4 * index, value);
  }

  private int blocksOf(int length) {
    return (length + blockTokens - 1) / blockTokens;
  }

  /** Enqueues the copy to the device. */
  public void upload(Stream stream) {
    stream.copyToDevice(host, 0, device, 0, layout.bytes());
  }

  public int tokens() {
    return tokens;
  }

  /** Token rows, [tokens, embedding width] F32. */
  public Matrix embeddings() {
    return Matrix.dense(device, layout.embeddings(), DType.F32, tokens, tokenRows.columns());
  }

  /** Learned position rows, [tokens, hidden] F32. */
  public Optional<Matrix> positions() {
    return positionRows.map(
        table -> Matrix.dense(device, layout.positions(), DType.F32, tokens, table.columns()));
  }

  /** Cosines and sines of a rope, [tokens, dimensions] F32. */
  public Matrix rotation(Rope rope) {
    long base = layout.rotations();
    for (Rope other : ropes) {
      if (other.equals(rope)) {
        return Matrix.dense(device, base, DType.F32, tokens, rope.dimensions());
      }
      base += 4L * tokens * other.dimensions();
    }
    throw new IllegalArgumentException("no layer announced " + rope);
  }

  /** Which sequences the rows belong to, on the device. */
  public RaggedBatch onDevice() {
    return ragged(device);
  }

  /** The same on the host. */
  public RaggedBatch onHost() {
    return ragged(wrapped.orElseThrow());
  }

  private RaggedBatch ragged(DeviceBuffer buffer) {
    int sequences = chunks.size();
    return new RaggedBatch(
        sequences,
        tokens,
        maxBlocks,
        longestContext,
        new Indices(buffer, layout.rowStarts(), sequences + 1),
        new Indices(buffer, layout.contextLengths(), sequences),
        new Indices(buffer, layout.blockTable(), sequences * maxBlocks),
        new Indices(buffer, layout.slots(), tokens),
        prefixes);
  }

  /** Cache blocks that hold something before or after the pass. */
  public BlockRuns usedBlocks() {
    return PassShapes.usedBlocks(chunks, blockTokens);
  }

  /** Cache blocks that the pass writes. */
  public BlockRuns writtenBlocks() {
    return PassShapes.writtenBlocks(chunks, blockTokens);
  }

  @Override
  public void close() {
    wrapped.ifPresent(DeviceBuffer::close);
    device.close();
    host.close();
  }
}
