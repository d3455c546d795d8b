package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.StoredTensor;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;

/**
 * Reads units out of checkpoint files by positional reads, past the mapping, so that what it costs
 * is really disk traffic. Numbers whose format is the wanted one go straight to their place; others
 * pass through a buffer of {@value #BUFFER_BYTES} bytes, of which there are as many as threads
 * reading at once. Thread-safe. Interrupting a reading thread closes the files.
 */
public final class UnitReader implements WeightSource, AutoCloseable {
  /** Bytes of one buffer, and the most that one system call reads. */
  public static final int BUFFER_BYTES = 8 << 20;

  private final Checkpoint checkpoint;
  private final Map<Path, FileChannel> files = new HashMap<>();
  private final ReadBuffers buffers;
  private final LongAdder bytesRead = new LongAdder();
  private final boolean direct;
  private final int bufferBytes;

  private UnitReader(Checkpoint checkpoint, boolean direct, int bufferBytes) {
    this.checkpoint = checkpoint;
    this.direct = direct;
    this.bufferBytes = bufferBytes;
    buffers = new ReadBuffers(bufferBytes);
  }

  /** Opens all files of a checkpoint; reads go through the page cache. */
  public static UnitReader open(Checkpoint checkpoint) throws IOException {
    return open(checkpoint, false, BUFFER_BYTES);
  }

  /**
   * Opens all files of a checkpoint for reads that leave the page cache alone ({@code O_DIRECT}).
   *
   * @throws IOException if the file system cannot do that
   */
  public static UnitReader openDirect(Checkpoint checkpoint) throws IOException {
    return open(checkpoint, true, BUFFER_BYTES);
  }

  /** With buffers of another size, a multiple of {@link ReadBuffers#BLOCK} for direct reads. */
  static UnitReader open(Checkpoint checkpoint, boolean direct, int bufferBytes)
      throws IOException {
    Set<OpenOption> options =
        direct
            ? Set.of(StandardOpenOption.READ, DirectOption.find())
            : Set.of(StandardOpenOption.READ);
    UnitReader reader = new UnitReader(checkpoint, direct, bufferBytes);
    try {
      for (Path file : checkpoint.files()) {
        reader.files.put(file, FileChannel.open(file, options));
      }
      return reader;
    } catch (UnsupportedOperationException | IOException e) {
      reader.close();
      throw new IOException("cannot open the weight files of " + checkpoint.files() + ": " + e, e);
    }
  }

  /**
   * Where one parameter goes.
   *
   * @param parameter what is read
   * @param as number format wanted
   * @param offset byte offset in the target
   */
  public record Target(Parameter parameter, DType as, long offset) {
    /** Bytes it takes there. */
    public long bytes() {
      return parameter.elements() * as.bytes();
    }
  }

  /**
   * Reads parameters, row-major, in the order given.
   *
   * @param to native memory
   * @throws IOException naming the file, if it cannot be read or has become shorter
   */
  public void read(List<Target> targets, MemorySegment to) throws IOException {
    for (Target target : targets) {
      long offset = target.offset();
      for (Part part : target.parameter().parts()) {
        PartCopy copy = new PartCopy(part, target.parameter().dtype(), target.as());
        long bytes = copy.elements() * target.as().bytes();
        read(copy, to.asSlice(offset, bytes));
        offset += bytes;
      }
    }
  }

  /**
   * Reads one parameter.
   *
   * @param to native memory
   * @throws UncheckedIOException naming the file, if it cannot be read or has become shorter
   */
  @Override
  public void read(Parameter parameter, DType as, MemorySegment to) {
    WeightSource.checkSize(parameter, as, to);
    try {
      read(List.of(new Target(parameter, as, 0)), to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes that reads have delivered so far, buffers included. */
  public long bytesRead() {
    return bytesRead.sum();
  }

  @Override
  public void close() throws IOException {
    buffers.close();
    for (FileChannel file : files.values()) {
      file.close();
    }
  }

  private void read(PartCopy copy, MemorySegment to) throws IOException {
    StoredTensor tensor = checkpoint.require(copy.part().tensor());
    Part part = copy.part();
    if (part.transposed()) {
      readTransposed(copy, tensor, to);
    } else if (part.isContiguous()) {
      readRun(copy, tensor, part.firstElement(), copy.elements(), to, 0);
    } else if (part.columns() == 1) {
      readPicked(copy, tensor, to);
    } else {
      for (int row = 0; row < part.rows(); row++) {
        readRun(copy, tensor, copy.rowElement(row), part.columns(), to, row * copy.rowBytes());
      }
    }
  }

  /** Numbers that lie one after the other. */
  private void readRun(
      PartCopy copy, StoredTensor tensor, long first, long count, MemorySegment to, long toOffset)
      throws IOException {
    int size = copy.fromType().bytes();
    if (copy.fromType() == copy.toType() && !direct) {
      fill(tensor.file(), tensor.fileOffset() + first * size, to.asSlice(toOffset, count * size));
      return;
    }
    long chunk = bufferBytes / size;
    try (ReadBuffers.Lease lease = buffers.lease(chunk * size)) {
      for (long done = 0; done < count; done += chunk) {
        long length = Math.min(chunk, count - done);
        MemorySegment numbers = load(tensor, (first + done) * size, length * size, lease);
        copy.run(numbers, 0, length, to, toOffset + done * copy.toType().bytes());
      }
    }
  }

  /** Rows of one number each, some way apart. */
  private void readPicked(PartCopy copy, StoredTensor tensor, MemorySegment to) throws IOException {
    int size = copy.fromType().bytes();
    int chunk = Math.max(1, bufferBytes / size / copy.part().rowStep());
    try (ReadBuffers.Lease lease = buffers.lease((long) chunk * copy.part().rowStep() * size)) {
      for (int row = 0; row < copy.part().rows(); row += chunk) {
        int rows = Math.min(chunk, copy.part().rows() - row);
        long span = (rows - 1L) * copy.part().rowStep() + 1;
        MemorySegment numbers = load(tensor, copy.rowElement(row) * size, span * size, lease);
        copy.pick(numbers, 0, row, rows, to, 0);
      }
    }
  }

  /** Columns of the result are rows of the file: some at a time. */
  private void readTransposed(PartCopy copy, StoredTensor tensor, MemorySegment to)
      throws IOException {
    long rowBytes = (long) copy.part().tensorRows() * copy.fromType().bytes();
    int chunk = Math.clamp(bufferBytes / rowBytes, 1, copy.part().columns());
    long start = copy.part().firstElement() * copy.fromType().bytes();
    try (ReadBuffers.Lease lease = buffers.lease(chunk * rowBytes)) {
      for (int column = 0; column < copy.part().columns(); column += chunk) {
        int columns = Math.min(chunk, copy.part().columns() - column);
        MemorySegment rows = load(tensor, start + column * rowBytes, columns * rowBytes, lease);
        copy.turn(rows, 0, column, columns, to, 0);
      }
    }
  }

  /** Reads bytes of a tensor into the buffer; whole blocks around them if past the page cache. */
  private MemorySegment load(StoredTensor tensor, long offset, long bytes, ReadBuffers.Lease lease)
      throws IOException {
    long start = tensor.fileOffset() + offset;
    if (!direct) {
      MemorySegment numbers = lease.buffer().asSlice(0, bytes);
      fill(tensor.file(), start, numbers);
      return numbers;
    }
    long firstBlock = start - start % ReadBuffers.BLOCK;
    long skipped = start - firstBlock;
    long blocks = ReadBuffers.roundUp(skipped + bytes);
    fill(tensor.file(), firstBlock, lease.buffer().asSlice(0, blocks), skipped + bytes);
    return lease.buffer().asSlice(skipped, bytes);
  }

  private void fill(Path file, long position, MemorySegment to) throws IOException {
    fill(file, position, to, to.byteSize());
  }

  /** Reads until at least {@code needed} bytes are there. */
  private void fill(Path file, long position, MemorySegment to, long needed) throws IOException {
    FileChannel channel = files.get(file);
    long done = 0;
    while (done < needed) {
      ByteBuffer rest =
          to.asSlice(done, Math.min(bufferBytes, to.byteSize() - done)).asByteBuffer();
      int read = channel.read(rest, position + done);
      if (read <= 0) {
        throw new EOFException(
            "%s: ended at byte %d although it was longer when it was opened"
                .formatted(file, position + done));
      }
      bytesRead.add(read);
      done += read;
    }
  }
}
