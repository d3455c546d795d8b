package dev.offload.jobs.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The bytes of a journal. All numbers are little-endian; checksums are CRC-32C.
 *
 * <pre>
 * header, {@value #HEADER_BYTES} bytes
 *      0  8  magic "OFFLJOB\n"
 *      8  4  version, {@value #VERSION}
 *     12  4  n, bytes of the description
 *     16  8  creation of the job, Unix seconds
 *     24  n  description of the job, JSON
 *            zeros
 *   4092  4  checksum of bytes 0 to 4091
 * records, each on a multiple of 8
 *      0  4  checksum of bytes 4 to 24 + n
 *      4  4  kind: 1 answer, 2 error
 *      8  8  row number, from 0
 *     16  8  n, bytes of the payload
 *     24  n  payload: the line of the output or error file without its line feed
 *            zeros up to a multiple of 8
 * end: kind 0
 * </pre>
 */
final class JournalLayout {
  static final int VERSION = 1;
  static final int HEADER_BYTES = 4096;
  static final int RECORD_HEADER_BYTES = 24;

  /** Largest payload that is written or believed. */
  static final int MAX_PAYLOAD_BYTES = 1 << 30;

  /** Kind of the record after the last one. */
  static final int END = 0;

  private static final long MAGIC = 0x0A424F4A4C46464FL;
  private static final int DESCRIPTION_OFFSET = 24;
  private static final int HEADER_CHECKSUM_OFFSET = HEADER_BYTES - Integer.BYTES;

  private JournalLayout() {}

  /** Most bytes a description may have. */
  static int maxDescriptionBytes() {
    return HEADER_CHECKSUM_OFFSET - DESCRIPTION_OFFSET;
  }

  /** The header of a new journal. */
  static ByteBuffer header(long createdSeconds, byte[] description) {
    if (description.length > maxDescriptionBytes()) {
      throw new IllegalArgumentException(
          "the job's description has %d bytes, at most %d fit"
              .formatted(description.length, maxDescriptionBytes()));
    }
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(MAGIC).putInt(VERSION).putInt(description.length);
    header.putLong(createdSeconds).put(description);
    header.putInt(HEADER_CHECKSUM_OFFSET, checksum(header.array(), 0, HEADER_CHECKSUM_OFFSET));
    return header.rewind();
  }

  /** Whether a header is whole. */
  static boolean isWhole(ByteBuffer header) {
    return header.getInt(HEADER_CHECKSUM_OFFSET)
        == checksum(header.array(), header.arrayOffset(), HEADER_CHECKSUM_OFFSET);
  }

  static boolean hasMagic(ByteBuffer header) {
    return header.getLong(0) == MAGIC;
  }

  static int version(ByteBuffer header) {
    return header.getInt(8);
  }

  static long createdSeconds(ByteBuffer header) {
    return header.getLong(16);
  }

  /**
   * The description of a whole header.
   *
   * @throws JournalException if its length is impossible
   */
  static byte[] description(ByteBuffer header) throws JournalException {
    int length = header.getInt(12);
    if (length < 0 || length > maxDescriptionBytes()) {
      throw new JournalException(
          "the length of its description is %d, must be from 0 to %d"
              .formatted(length, maxDescriptionBytes()));
    }
    byte[] description = new byte[length];
    header.get(DESCRIPTION_OFFSET, description);
    return description;
  }

  /** A whole record with its padding. */
  static byte[] record(long row, int kind, byte[] payload) {
    byte[] bytes = new byte[Math.toIntExact(recordBytes(payload.length))];
    ByteBuffer record = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    record.putInt(4, kind).putLong(8, row).putLong(16, payload.length);
    record.put(RECORD_HEADER_BYTES, payload);
    record.putInt(0, recordChecksum(bytes, payload.length));
    return bytes;
  }

  /** The checksum of a record that starts at index 0 and carries this many bytes. */
  static int recordChecksum(byte[] record, int payloadBytes) {
    return checksum(record, Integer.BYTES, RECORD_HEADER_BYTES - Integer.BYTES + payloadBytes);
  }

  /** Bytes of a record and its padding. */
  static long recordBytes(long payloadBytes) {
    return (RECORD_HEADER_BYTES + payloadBytes + 7) & ~7L;
  }

  static long kindOffset(long record) {
    return record + 4;
  }

  static long rowOffset(long record) {
    return record + 8;
  }

  static long lengthOffset(long record) {
    return record + 16;
  }

  static long payloadOffset(long record) {
    return record + RECORD_HEADER_BYTES;
  }

  private static int checksum(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    return (int) checksum.getValue();
  }
}
