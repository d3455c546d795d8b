package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that is one JSON object, held in memory. */
public final class JsonFile {
  private static final long MOST_BYTES = 16 << 20;

  private JsonFile() {}

  /**
   * Reads all of a file.
   *
   * @throws RowException if it is too large, not UTF-8 or not one object
   */
  public static ObjectNode read(Path file) throws IOException, RowException {
    long bytes = Files.size(file);
    if (bytes > MOST_BYTES) {
      throw new RowException("the file has " + bytes + " bytes, must have at most " + MOST_BYTES);
    }
    try {
      return RowJson.strict().parse(Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new RowException("the file is not valid UTF-8", e);
    }
  }
}
