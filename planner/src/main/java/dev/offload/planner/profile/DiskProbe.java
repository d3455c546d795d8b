package dev.offload.planner.profile;

import dev.offload.tensors.DType;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Part;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A weight file of made-up numbers, written once and read as passes read theirs: past the page
 * cache, by several readers, each a unit at a time into host memory. Owns the file and deletes it.
 * Used by one thread.
 */
final class DiskProbe implements AutoCloseable {
  private static final String TENSOR = "weights";
  private static final int BLOCK = 4096;
  private static final DType DTYPE = DType.BF16;
  private static final int COLUMNS = 4096;

  /** Rows of what is read as one: 16 MiB, about what passes read at a time. */
  private static final int UNIT_ROWS = 2048;

  static final long UNIT_BYTES = (long) UNIT_ROWS * COLUMNS * DTYPE.bytes();

  private final Path folder;
  private final int units;
  private final Arena arena = Arena.ofShared();
  private final double writeBytesPerSecond;
  private final AtomicInteger next = new AtomicInteger();

  /** Where each reader puts what it reads, used again and again as passes use their rings. */
  private final List<MemorySegment> targets = new ArrayList<>();

  private Checkpoint checkpoint;
  private UnitReader reader;

  /**
   * Writes the file and waits until the disk has it.
   *
   * @param parent folder in which the file is made
   * @param bytes size of the file, at least one unit
   * @throws IOException if it cannot be written, or not be read past the page cache
   */
  DiskProbe(Path parent, long bytes) throws IOException {
    units = (int) Math.max(1, bytes / UNIT_BYTES);
    folder = Files.createTempDirectory(parent, "offload-profile");
    try {
      writeBytesPerSecond = write();
      checkpoint = Checkpoint.open(folder);
      reader = UnitReader.openDirect(checkpoint);
    } catch (IOException | RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private Path file() {
    return folder.resolve("model.safetensors");
  }

  private double write() throws IOException {
    MemorySegment numbers = arena.allocate(UNIT_BYTES, BLOCK);
    SplittableRandom random = new SplittableRandom(1);
    byte[] drawn = new byte[(int) UNIT_BYTES];
    random.nextBytes(drawn);
    MemorySegment.copy(drawn, 0, numbers, ValueLayout.JAVA_BYTE, 0, drawn.length);
    try (FileChannel channel =
        FileChannel.open(file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      writeFully(channel, header());
      long begin = System.nanoTime();
      for (int i = 0; i < units; i++) {
        writeFully(channel, numbers.asByteBuffer());
      }
      channel.force(true);
      return units * UNIT_BYTES * 1e9 / Math.max(1, System.nanoTime() - begin);
    }
  }

  /** As of safetensors, padded so that the numbers begin with a block of the disk. */
  private ByteBuffer header() {
    long rows = (long) units * UNIT_ROWS;
    String json =
        "{\"%s\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}"
            .formatted(TENSOR, DTYPE, rows, COLUMNS, units * UNIT_BYTES);
    ByteBuffer bytes = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(BLOCK - Long.BYTES).put(json.getBytes(StandardCharsets.US_ASCII));
    bytes.put(" ".repeat(bytes.remaining()).getBytes(StandardCharsets.US_ASCII));
    return bytes.flip();
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** What the disk took, until it had everything. */
  double writeBytesPerSecond() {
    return writeBytesPerSecond;
  }

  /** Reads so many units with so many readers; returns when they are there. */
  void read(int count, int readers) {
    while (targets.size() < readers) {
      targets.add(arena.allocate(UNIT_BYTES, BLOCK));
    }
    AtomicInteger left = new AtomicInteger(count);
    List<Runnable> reading = new ArrayList<>();
    for (MemorySegment target : targets.subList(0, readers)) {
      reading.add(() -> readUntilDone(left, target));
    }
    Crew.run("offload-profile-disk", reading);
  }

  private void readUntilDone(AtomicInteger left, MemorySegment target) {
    try {
      while (left.getAndDecrement() > 0) {
        reader.read(List.of(new UnitReader.Target(nextUnit(), DTYPE, 0)), target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Parameter nextUnit() {
    Part all = Part.matrix(TENSOR, units * UNIT_ROWS, COLUMNS);
    int unit = next.getAndIncrement() % units;
    return new Parameter(
        Role.DOWN, DTYPE, UNIT_ROWS, COLUMNS, List.of(all.range(unit * UNIT_ROWS, UNIT_ROWS)));
  }

  @Override
  public void close() throws IOException {
    try {
      if (reader != null) {
        reader.close();
      }
    } finally {
      if (checkpoint != null) {
        checkpoint.close();
      }
      arena.close();
      Files.deleteIfExists(file());
      Files.deleteIfExists(folder);
    }
  }
}
