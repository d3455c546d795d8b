package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.OptionalLong;

/**
 * The ids of a file and the line each stands on, in 16 bytes per id whatever its length. A table
 * that outgrows {@value #HEAP_BYTES} bytes moves to a temporary file, so that the ids of a file of
 * any size need no more memory than that. Used by one thread at a time.
 *
 * <p>An entry holds 88 bits of the id's SHA-256 and 40 bits of line number. Among 100 million ids
 * the chance that any two different ones are taken for equal is 2·10⁻¹¹ (n² / 2⁸⁹).
 */
final class SeenIds implements AutoCloseable {
  /** Tables up to this size stay in memory: 2 million ids. */
  static final long HEAP_BYTES = 64L << 20;

  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final int ENTRY_BYTES = 16;
  private static final int LINE_BITS = 40;
  private static final long LINE_MASK = (1L << LINE_BITS) - 1;
  private static final long FIRST_SLOTS = 1 << 12;

  private final Path folder;
  private final long heapBytes;
  private final MessageDigest digest;
  private Table table;
  private long used;

  /**
   * @param folder where the temporary file goes
   */
  SeenIds(Path folder) {
    this(folder, HEAP_BYTES);
  }

  SeenIds(Path folder, long heapBytes) {
    this.folder = folder;
    this.heapBytes = heapBytes;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    this.table = Table.inMemory(FIRST_SLOTS);
  }

  /**
   * Notes an id.
   *
   * @param line below 2⁴⁰
   * @return the line the same id was seen on before, or empty if it is new
   */
  OptionalLong add(JsonNode id, long line) throws IOException {
    byte[] hash = digest.digest((id.getNodeType() + id.asText()).getBytes(StandardCharsets.UTF_8));
    MemorySegment words = MemorySegment.ofArray(hash);
    long low = words.get(WORD, 0);
    long high = words.get(WORD, 8) & ~LINE_MASK;
    long before = table.putIfAbsent(low, high | line);
    if (before != 0) {
      return OptionalLong.of(before & LINE_MASK);
    }
    if (++used > table.slots() / 2) {
      grow();
    }
    return OptionalLong.empty();
  }

  private void grow() throws IOException {
    long slots = table.slots() * 2;
    Table larger =
        slots * ENTRY_BYTES <= heapBytes ? Table.inMemory(slots) : Table.inFile(folder, slots);
    for (long slot = 0; slot < table.slots(); slot++) {
      if (table.second(slot) != 0) {
        larger.putIfAbsent(table.first(slot), table.second(slot));
      }
    }
    table.close();
    table = larger;
  }

  @Override
  public void close() {
    table.close();
  }

  /**
   * Open addressing over pairs of words; a line is never 0, so a second word of 0 is an empty slot.
   */
  private record Table(Arena arena, MemorySegment entries) implements AutoCloseable {
    static Table inMemory(long slots) {
      Arena arena = Arena.ofShared();
      return new Table(arena, arena.allocate(slots * ENTRY_BYTES, Long.BYTES));
    }

    static Table inFile(Path folder, long slots) throws IOException {
      Path file = Files.createTempFile(folder, ".offload-ids", ".tmp");
      Arena arena = Arena.ofShared();
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        return new Table(
            arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, slots * ENTRY_BYTES, arena));
      } catch (IOException e) {
        arena.close();
        throw e;
      }
    }

    long slots() {
      return entries.byteSize() / ENTRY_BYTES;
    }

    long first(long slot) {
      return entries.get(WORD, slot * ENTRY_BYTES);
    }

    long second(long slot) {
      return entries.get(WORD, slot * ENTRY_BYTES + Long.BYTES);
    }

    /** The second word of an equal id, or 0 after putting this one in. */
    long putIfAbsent(long first, long second) {
      long mask = slots() - 1;
      long slot = first & mask;
      while (second(slot) != 0) {
        if (first(slot) == first && (second(slot) & ~LINE_MASK) == (second & ~LINE_MASK)) {
          return second(slot);
        }
        slot = (slot + 1) & mask;
      }
      entries.set(WORD, slot * ENTRY_BYTES, first);
      entries.set(WORD, slot * ENTRY_BYTES + Long.BYTES, second);
      return 0;
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
