package dev.offload.tensors.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files, sound ones and others. */
public final class SafetensorsFile {
  private SafetensorsFile() {}

  /** A file with this header and so many bytes of data, all zero. */
  public static void write(Path file, String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    write(file, json.length, json, dataBytes);
  }

  /** A file that says its header has {@code claimedLength} bytes. */
  public static void write(Path file, long claimedLength, byte[] json, int dataBytes)
      throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(claimedLength).put(json);
    Files.write(file, bytes.array());
  }

  /** A header entry. */
  public static String entry(String name, String dtype, String shape, long from, long to) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, dtype, shape, from, to);
  }
}
