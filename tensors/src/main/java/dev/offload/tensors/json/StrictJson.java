package dev.offload.tensors.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON as the standard has it, with limits on depth, numbers and names, and no key twice. */
public final class StrictJson {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(64)
                  .maxNumberLength(100)
                  .maxNameLength(4096)
                  .maxStringLength(1 << 20)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final ObjectMapper MAPPER =
      new ObjectMapper(FACTORY).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private StrictJson() {}

  /** The factory of parsers with these limits. */
  public static JsonFactory factory() {
    return FACTORY;
  }

  /**
   * Reads a file of a model that holds one object.
   *
   * @param maxBytes larger files are refused
   * @throws ModelException if it is larger, no JSON or no object
   */
  public static JsonFields readObject(Path file, long maxBytes) throws IOException {
    return readObject(file, maxBytes, "download it again");
  }

  /**
   * Reads a file that holds one object.
   *
   * @param maxBytes larger files are refused
   * @param remedy what to do if it is broken
   * @throws ModelException if it is larger, no JSON or no object
   */
  public static JsonFields readObject(Path file, long maxBytes, String remedy) throws IOException {
    long size = Files.size(file);
    if (size > maxBytes) {
      throw new ModelException(
          file
              + ": is "
              + size
              + " bytes long, more than the "
              + maxBytes
              + " such a file may have");
    }
    try {
      JsonNode root = MAPPER.readTree(Files.readAllBytes(file));
      if (!root.isObject()) {
        throw new ModelException(file + ": holds no JSON object; " + remedy);
      }
      return new JsonFields(file, root);
    } catch (JsonProcessingException e) {
      throw new ModelException(file + ": " + describe(e) + "; " + remedy, e);
    }
  }

  /** What is wrong and where, in one line without a dump of the source. */
  public static String describe(JsonProcessingException e) {
    String where =
        e.getLocation() == null
            ? ""
            : " at line "
                + e.getLocation().getLineNr()
                + ", column "
                + e.getLocation().getColumnNr();
    String what = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    return "broken JSON" + where + ": " + what;
  }
}
