package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Strict JSON for rows: no duplicate keys, nothing after the object, limits on depth and size. */
final class RowJson {
  private static final int MAX_DEPTH = 64;
  private static final int MAX_NUMBER_CHARACTERS = 100;
  private static final int MAX_NAME_CHARACTERS = 1024;

  private static final JsonMapper STRICT =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_NUMBER_CHARACTERS)
                          .maxNameLength(MAX_NAME_CHARACTERS)
                          .maxStringLength(LineReader.MAX_LINE_BYTES)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final JsonMapper mapper;

  private RowJson(JsonMapper mapper) {
    this.mapper = mapper;
  }

  /** Fractions are read as double precision holds them. */
  static RowJson strict() {
    return new RowJson(STRICT);
  }

  /** Fractions keep all the digits they are written with. */
  static RowJson exact() {
    return new RowJson(
        STRICT
            .rebuild()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build());
  }

  /**
   * Parses one row.
   *
   * @throws RowException if the text is not one JSON object
   */
  ObjectNode parse(String text) throws RowException {
    JsonNode node;
    try {
      node = mapper.readTree(text);
    } catch (JsonProcessingException e) {
      throw new RowException("broken JSON" + place(e) + ": " + reason(e), e);
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new RowException(
        "the row is " + Fields.describe(node) + ", must be an object in braces, {\"…\": …}");
  }

  private static String place(JsonProcessingException e) {
    return e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
  }

  /** The parser's first line, without its advice to programmers. */
  private static String reason(JsonProcessingException e) {
    String message = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    int advice = message.indexOf(": enable ");
    return advice < 0 ? message : message.substring(0, advice);
  }
}
