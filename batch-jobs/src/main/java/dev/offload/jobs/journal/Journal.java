package dev.offload.jobs.journal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import net.openhft.chronicle.bytes.MappedBytes;

/**
 * The finished rows of a job, appended to a file in the order in which they finish; see {@link
 * JournalLayout}. A record is safe once {@link #force} has returned. Owned by one thread.
 *
 * <p>The file grows by segments of {@value #SEGMENT_BYTES} bytes of written zeros before records
 * are stored through the mapping, so a full disk is an IOException and never a fault in mapped
 * memory.
 *
 * <pre>{@code
 * try (Journal journal = Journal.openNew(file, description, createdSeconds)) {
 *   long record = journal.append(row, RecordKind.ANSWER, line);
 *   journal.force();
 *   byte[] same = journal.payload(record);
 * }
 * }</pre>
 */
public final class Journal implements AutoCloseable {
  /** How much the file grows at a time. */
  static final int SEGMENT_BYTES = 1 << 20;

  private static final int MAPPED_BYTES = 4 << 20;
  private static final int OVERLAP_BYTES = 64 << 10;

  private final Path file;
  private final FileChannel channel;
  private final MappedBytes bytes;
  private final long createdSeconds;
  private long end = JournalLayout.HEADER_BYTES;
  private long allocated = JournalLayout.HEADER_BYTES;
  private long droppedBytes;

  private Journal(Path file, FileChannel channel, MappedBytes bytes, long createdSeconds) {
    this.file = file;
    this.channel = channel;
    this.bytes = bytes;
    this.createdSeconds = createdSeconds;
  }

  /** Begins a journal; what the file held before is gone. */
  public static Journal openNew(Path file, JobDescription description, long createdSeconds)
      throws IOException {
    FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try {
      writeFully(channel, JournalLayout.header(createdSeconds, description.toJson()), 0);
      channel.force(true);
      return new Journal(file, channel, map(file), createdSeconds);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Opens a journal to continue it: shows each finished row to the visitor, and drops what a kill
   * left half-written behind them.
   *
   * @return empty if the file ends before any row could have been recorded, because the job was
   *     killed while it began
   * @throws JournalException if the file is no journal, is damaged, or belongs to another job
   */
  public static Optional<Journal> openExisting(
      Path file, JobDescription description, Visitor visitor) throws IOException, JournalException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      Optional<ByteBuffer> header = readHeader(channel);
      if (header.isEmpty()) {
        channel.close();
        return Optional.empty();
      }
      JobDescription.fromJson(JournalLayout.description(header.get())).refuseOther(description);
      long size = channel.size();
      Journal journal =
          new Journal(file, channel, map(file), JournalLayout.createdSeconds(header.get()));
      journal.scan(size, visitor);
      return Optional.of(journal);
    } catch (IOException | JournalException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether a file is there that may hold finished rows: a journal grows with its first record. */
  public static boolean mayHoldRows(Path file) throws IOException {
    return Files.exists(file) && Files.size(file) > JournalLayout.HEADER_BYTES;
  }

  private static Optional<ByteBuffer> readHeader(FileChannel channel)
      throws IOException, JournalException {
    ByteBuffer header =
        ByteBuffer.allocate(JournalLayout.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long read = 0;
    while (header.hasRemaining() && read >= 0) {
      read = channel.read(header, header.position());
    }
    if (!JournalLayout.isWhole(header) && channel.size() <= JournalLayout.HEADER_BYTES) {
      return Optional.empty();
    }
    if (!JournalLayout.hasMagic(header)) {
      throw new JournalException("it is no journal of a job; move it away");
    }
    if (!JournalLayout.isWhole(header)) {
      throw new JournalException("its header is damaged; begin again with --overwrite");
    }
    if (JournalLayout.version(header) != JournalLayout.VERSION) {
      throw new JournalException(
          "its version is %d, this program writes version %d; finish the job with the program that"
                  .formatted(JournalLayout.version(header), JournalLayout.VERSION)
              + " began it, or begin again with --overwrite");
    }
    return Optional.of(header);
  }

  private static MappedBytes map(Path file) throws IOException {
    MappedBytes bytes = MappedBytes.mappedBytes(file.toFile(), MAPPED_BYTES, OVERLAP_BYTES);
    bytes.singleThreadedCheckDisabled(true);
    return bytes;
  }

  /** Unix seconds at which the job began. */
  public long createdSeconds() {
    return createdSeconds;
  }

  /** Bytes that a kill had left half-written and that were dropped when the journal was opened. */
  public long droppedBytes() {
    return droppedBytes;
  }

  /**
   * Appends a record. It is not safe before {@link #force}.
   *
   * @param row its number, from 0
   * @return where it is, for {@link #payload}
   */
  public long append(long row, RecordKind kind, byte[] payload) throws IOException {
    byte[] record = JournalLayout.record(row, kind.code(), payload);
    long place = end;
    allocate(place + record.length);
    bytes.writePosition(place);
    bytes.write(record);
    end = place + record.length;
    return place;
  }

  /** Returns when all appended records are on disk. */
  public void force() throws IOException {
    try {
      // fsync covers pages dirtied through the mapping as well: fsync(2), mmap(2), Linux and macOS.
      channel.force(false);
    } catch (IOException e) {
      throw new WriteException(file, e);
    }
  }

  /** Whether no row is recorded. */
  public boolean isEmpty() {
    return end == JournalLayout.HEADER_BYTES;
  }

  /** The payload of a record. */
  public byte[] payload(long record) throws IOException {
    byte[] payload = new byte[(int) bytes.readLong(JournalLayout.lengthOffset(record))];
    read(JournalLayout.payloadOffset(record), payload);
    return payload;
  }

  /** The kind of a record. */
  public RecordKind kind(long record) {
    return RecordKind.of(bytes.readInt(JournalLayout.kindOffset(record))).orElseThrow();
  }

  /**
   * Reads through the channel, which sees what was stored through the mapping, and leaves the
   * mapping where records are written: moving it costs more than the read.
   */
  private void read(long offset, byte[] into) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(into);
    while (left.hasRemaining()) {
      if (channel.read(left, offset + left.position()) < 0) {
        throw new WriteException(file, new EOFException("somebody has cut it off"));
      }
    }
  }

  private void allocate(long needed) throws IOException {
    while (allocated < needed) {
      long next = (allocated / SEGMENT_BYTES + 1) * SEGMENT_BYTES;
      try {
        writeFully(channel, ByteBuffer.allocate((int) (next - allocated)), allocated);
      } catch (IOException e) {
        throw new WriteException(file, e);
      }
      allocated = next;
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer from, long position)
      throws IOException {
    while (from.hasRemaining()) {
      position += channel.write(from, position);
    }
  }

  /** Finds the end of the whole records and cuts the file there. */
  private void scan(long size, Visitor visitor) throws IOException, JournalException {
    bytes.writePosition(size);
    long place = end;
    for (long next; (next = endOfRecord(place, size)) > 0; place = next) {
      RecordKind kind = RecordKind.of(bytes.readInt(JournalLayout.kindOffset(place))).orElseThrow();
      visitor.record(bytes.readLong(JournalLayout.rowOffset(place)), kind, place);
    }
    droppedBytes = lastNonZero(place, size) - place;
    end = place;
    allocated = place;
    channel.truncate(place);
    channel.force(true);
    bytes.writePosition(place);
  }

  /** Where the record after this one is, or 0 if there is no whole record here. */
  private long endOfRecord(long place, long size) throws IOException {
    if (place + JournalLayout.RECORD_HEADER_BYTES > size) {
      return 0;
    }
    long length = bytes.readLong(JournalLayout.lengthOffset(place));
    if (length < 0
        || length > JournalLayout.MAX_PAYLOAD_BYTES
        || place + JournalLayout.RECORD_HEADER_BYTES + length > size) {
      return 0;
    }
    byte[] record = new byte[(int) (JournalLayout.RECORD_HEADER_BYTES + length)];
    read(place, record);
    ByteBuffer fields = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    boolean whole = fields.getInt(0) == JournalLayout.recordChecksum(record, (int) length);
    boolean known = RecordKind.of(fields.getInt(4)).isPresent() && fields.getLong(8) >= 0;
    return whole && known ? place + JournalLayout.recordBytes(length) : 0;
  }

  /** One past the last byte that is not zero, at least {@code from}. */
  private long lastNonZero(long from, long size) throws IOException {
    ByteBuffer block = ByteBuffer.allocate(1 << 16);
    long last = from;
    for (long position = from; position < size; position += block.limit()) {
      block.clear();
      if (channel.read(block, position) <= 0) {
        break;
      }
      block.flip();
      for (int i = 0; i < block.limit(); i++) {
        last = block.get(i) == 0 ? last : position + i + 1;
      }
    }
    return last;
  }

  /** Closes and deletes the journal, once everything in it is elsewhere. */
  public void delete() throws IOException {
    close();
    Files.deleteIfExists(file);
  }

  @Override
  public void close() throws IOException {
    if (!bytes.isClosed()) {
      bytes.releaseLast();
    }
    channel.close();
  }

  /** Sees the rows that a journal already holds. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * One finished row.
     *
     * @param row its number, from 0
     * @param record where it is, for {@link Journal#payload}
     * @throws JournalException if this row cannot be there
     */
    void record(long row, RecordKind kind, long record) throws JournalException, IOException;
  }
}
