package dev.offload.tensors.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.StrictJson;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Reads the head of one safetensors file: eight bytes of length N (little endian), N bytes of JSON
 * that map tensor names to dtype, shape and byte range, then the numbers. See
 * https://github.com/huggingface/safetensors, "Format".
 *
 * <p>Ranges may leave gaps, which hold nothing, but may not overlap.
 */
final class SafetensorsHeader {
  /** The largest header the reference implementation accepts. */
  static final long MAX_HEADER_BYTES = 100_000_000;

  static final int MAX_TENSORS = 1_000_000;
  private static final int LENGTH_BYTES = 8;
  private static final int MAX_DIMENSIONS = 8;

  /** Bits of one element; other formats are accepted unchecked as long as nobody uses them. */
  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("I16", 16),
          Map.entry("U16", 16),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I32", 32),
          Map.entry("U32", 32),
          Map.entry("F32", 32),
          Map.entry("I64", 64),
          Map.entry("U64", 64),
          Map.entry("F64", 64));

  private final Path file;
  private final long fileBytes;
  private final List<StoredTensor> tensors = new ArrayList<>();
  private long dataStart;

  private SafetensorsHeader(Path file, long fileBytes) {
    this.file = file;
    this.fileBytes = fileBytes;
  }

  /**
   * Reads and checks the header.
   *
   * @return all tensors of the file, by rising offset
   */
  static List<StoredTensor> read(Path file, FileChannel channel) throws IOException {
    SafetensorsHeader header = new SafetensorsHeader(file, channel.size());
    header.parse(header.headerBytes(channel));
    header.refuseOverlaps();
    return header.tensors;
  }

  private byte[] headerBytes(FileChannel channel) throws IOException {
    if (fileBytes < LENGTH_BYTES) {
      throw damaged("is only " + fileBytes + " bytes long");
    }
    ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, length, 0);
    long headerLength = length.getLong(0);
    if (headerLength < 0 || headerLength > MAX_HEADER_BYTES) {
      throw damaged(
          "header length is %s bytes, at most %d are possible"
              .formatted(Long.toUnsignedString(headerLength), MAX_HEADER_BYTES));
    }
    if (headerLength > fileBytes - LENGTH_BYTES) {
      throw damaged(
          "header length is %d bytes, but the file has only %d bytes"
              .formatted(headerLength, fileBytes));
    }
    dataStart = LENGTH_BYTES + headerLength;
    ByteBuffer header = ByteBuffer.allocate((int) headerLength);
    readFully(channel, header, LENGTH_BYTES);
    return header.array();
  }

  private void parse(byte[] json) throws IOException {
    try (JsonParser parser = StrictJson.factory().createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw damaged("header is no JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        parseEntry(parser, parser.currentName());
      }
      if (parser.nextToken() != null) {
        throw damaged("header goes on after its JSON object");
      }
    } catch (JsonProcessingException e) {
      throw new ModelException(
          file + ": header holds " + StrictJson.describe(e) + "; download the file again", e);
    }
  }

  private void parseEntry(JsonParser parser, String name) throws IOException {
    JsonToken start = parser.nextToken();
    if (name.equals("__metadata__")) {
      parser.skipChildren();
      return;
    }
    if (start != JsonToken.START_OBJECT) {
      throw damaged(name, "is no JSON object");
    }
    if (tensors.size() == MAX_TENSORS) {
      throw damaged("names more than " + MAX_TENSORS + " tensors");
    }
    String dtype = null;
    List<Long> shape = null;
    List<Long> range = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      parser.nextToken();
      switch (field) {
        case "dtype" -> dtype = text(parser, name);
        case "shape" -> shape = wholeNumbers(parser, name, field, MAX_DIMENSIONS);
        case "data_offsets" -> range = wholeNumbers(parser, name, field, 2);
        default -> throw damaged(name, "has an unknown field '" + shortened(field) + "'");
      }
    }
    if (dtype == null || shape == null || range == null) {
      throw damaged(name, "needs the fields dtype, shape and data_offsets");
    }
    tensors.add(checked(name, dtype, shape, range));
  }

  private String text(JsonParser parser, String name) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw damaged(name, "has a dtype that is no text");
    }
    return parser.getText();
  }

  private List<Long> wholeNumbers(JsonParser parser, String name, String field, int most)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw damaged(name, "has a " + field + " that is no list");
    }
    List<Long> numbers = new ArrayList<>(most);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw damaged(name, "has a " + field + " that holds more than whole numbers");
      }
      if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          || parser.getLongValue() < 0) {
        throw damaged(
            name,
            "has %s in its %s; numbers from 0 to 2^63-1 are possible"
                .formatted(parser.getText(), field));
      }
      if (numbers.size() == most) {
        throw damaged(name, "has more than " + most + " numbers in its " + field);
      }
      numbers.add(parser.getLongValue());
    }
    return numbers;
  }

  private StoredTensor checked(String name, String dtype, List<Long> shape, List<Long> range) {
    if (range.size() != 2 || range.get(0) > range.get(1)) {
      throw damaged(name, "has data_offsets " + range + ", which are no range");
    }
    if (range.get(1) > fileBytes - dataStart) {
      throw damaged(
          name,
          "has data_offsets %s, but the file holds only %d bytes of data"
              .formatted(range, fileBytes - dataStart));
    }
    long bytes = range.get(1) - range.get(0);
    OptionalInt bits = bitsOf(dtype);
    if (bits.isPresent()) {
      checkBytes(name, dtype, shape, bits.getAsInt(), bytes);
    }
    return new StoredTensor(name, dtype, shape, file, dataStart + range.get(0), bytes);
  }

  private static OptionalInt bitsOf(String dtype) {
    Integer bits = BITS.get(dtype);
    return bits == null ? OptionalInt.empty() : OptionalInt.of(bits);
  }

  private void checkBytes(String name, String dtype, List<Long> shape, int bits, long bytes) {
    long expected = bits / 8;
    try {
      for (long dimension : shape) {
        expected = Math.multiplyExact(expected, dimension);
      }
    } catch (ArithmeticException e) {
      throw damaged(name, "has the shape " + shape + ", more than 2^63-1 bytes of " + dtype);
    }
    if (expected != bytes) {
      throw damaged(
          name,
          "has the shape %s, %d bytes of %s, but its data_offsets span %d bytes"
              .formatted(shape, expected, dtype, bytes));
    }
  }

  private void refuseOverlaps() {
    tensors.sort(Comparator.comparingLong(StoredTensor::fileOffset));
    StoredTensor before = null;
    for (StoredTensor tensor : tensors) {
      if (tensor.bytes() == 0) {
        continue;
      }
      if (before != null && tensor.fileOffset() < before.fileOffset() + before.bytes()) {
        throw damaged(tensor.name(), "overlaps tensor " + shortened(before.name()));
      }
      before = tensor;
    }
  }

  private static void readFully(FileChannel channel, ByteBuffer to, long position)
      throws IOException {
    while (to.hasRemaining()) {
      if (channel.read(to, position + to.position()) < 0) {
        throw new EOFException("file became shorter while it was read");
      }
    }
  }

  private ModelException damaged(String tensor, String what) {
    return damaged("tensor " + shortened(tensor) + " " + what);
  }

  private ModelException damaged(String what) {
    return new ModelException(file + ": " + what + "; download the file again");
  }

  private static String shortened(String text) {
    return text.length() <= 200 ? text : text.substring(0, 197) + "...";
  }
}
