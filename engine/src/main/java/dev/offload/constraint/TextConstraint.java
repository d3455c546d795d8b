package dev.offload.constraint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;

/**
 * What the whole text of an output must be, as a deterministic automaton over the bytes of UTF-8
 * that reads no byte from which it could not accept. Immutable; made once for many outputs.
 */
public final class TextConstraint {
  private static final int MAX_SCHEMA_CHARACTERS = 1 << 20;
  private static final int MAX_SCHEMA_DEPTH = 100;
  private static final int MAX_NUMBER_CHARACTERS = 100;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_SCHEMA_DEPTH)
                          .maxNumberLength(MAX_NUMBER_CHARACTERS)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private final Automaton bytes;

  private TextConstraint(Automaton characters) {
    bytes = BoundedAutomata.toUtf8(characters);
    boolean onlyEmpty = bytes.getNumStates() == 1 && bytes.getNumTransitions() == 0;
    if (onlyEmpty || Operations.isEmpty(bytes)) {
      throw new IllegalArgumentException(
          onlyEmpty ? "only the empty text matches" : "no text matches");
    }
  }

  /**
   * Texts that a regular expression matches from beginning to end; docs/cli.md lists what it may
   * contain.
   *
   * @throws IllegalArgumentException if it is broken, contains anything else, or is too large; the
   *     message says where
   */
  public static TextConstraint regex(String regex) {
    return new TextConstraint(RegexParser.whole(regex));
  }

  /**
   * JSON texts that are valid against a schema; docs/cli.md lists the keywords it may contain.
   *
   * @throws IllegalArgumentException if it is no JSON, contains anything else, or is too large; the
   *     message says where
   */
  public static TextConstraint jsonSchema(String schema) {
    if (schema.length() > MAX_SCHEMA_CHARACTERS) {
      throw new IllegalArgumentException(
          "the schema has %,d characters, at most %,d are allowed"
              .formatted(schema.length(), MAX_SCHEMA_CHARACTERS));
    }
    return new TextConstraint(SchemaCompiler.compile(parse(schema)));
  }

  private static JsonNode parse(String schema) {
    try {
      return JSON.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the schema is broken JSON%s: %s"
              .formatted(place(e), e.getOriginalMessage().lines().findFirst().orElse("unreadable")),
          e);
    }
  }

  private static String place(JsonProcessingException e) {
    JsonLocation at = e.getLocation();
    return at == null ? "" : " at line %d, column %d".formatted(at.getLineNr(), at.getColumnNr());
  }

  /** Any JSON object with arrays and objects nested up to {@value JsonGrammar#FREE_DEPTH} deep. */
  public static TextConstraint jsonObject() {
    return new TextConstraint(JsonGrammar.anyObject());
  }

  /** The automaton; not to be changed. */
  public Automaton bytes() {
    return bytes;
  }

  /** Number of its states, by which its memory grows. */
  public int states() {
    return bytes.getNumStates();
  }
}
