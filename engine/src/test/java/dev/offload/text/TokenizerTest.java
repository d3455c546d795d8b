package dev.offload.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.engine.TokenIds;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class TokenizerTest {
  static List<String> models() {
    return TokenizerFixtures.models();
  }

  @Test
  void shouldFindTheFixtures() {
    assertTrue(models().size() >= 27, () -> "only " + models());
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldEncodeAsTransformersDoes(String model) {
    JsonNode reference = TokenizerFixtures.reference(model);
    List<String> wrong = new ArrayList<>();
    try (Tokenizer tokenizer = TokenizerFixtures.open(model)) {
      for (JsonNode example : reference.path("encode")) {
        String text = example.path("text").textValue();
        TokenIds ids = TokenizerFixtures.ids(example.path("ids"));
        TokenIds special = TokenizerFixtures.ids(example.path("ids_with_special"));
        String id = example.path("id").textValue();
        compare(wrong, id, ids, tokenizer.encode(text, false));
        compare(wrong, id + " special", special, tokenizer.encode(text, true));
        compare(
            wrong,
            id + " decoded",
            example.path("decoded").textValue(),
            tokenizer.decode(ids, false));
        compare(
            wrong,
            id + " decoded_skip_special",
            example.path("decoded_skip_special").textValue(),
            tokenizer.decode(special, true));
      }
      assertEquals(reference.path("size").intValue(), tokenizer.vocabularySize());
    }
    assertEquals(List.of(), wrong);
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldDecodeAsTransformersDoes(String model) {
    List<String> wrong = new ArrayList<>();
    try (Tokenizer tokenizer = TokenizerFixtures.open(model)) {
      for (JsonNode example : TokenizerFixtures.reference(model).path("decode")) {
        TokenIds ids = TokenizerFixtures.ids(example.path("ids"));
        String id = example.path("id").textValue();
        compare(wrong, id, example.path("decoded").textValue(), tokenizer.decode(ids, false));
        compare(
            wrong,
            id + " skip_special",
            example.path("decoded_skip_special").textValue(),
            tokenizer.decode(ids, true));
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static void compare(List<String> wrong, String what, Object expected, Object actual) {
    if (!expected.equals(actual)) {
      wrong.add(what + ": expected " + expected + ", got " + actual);
    }
  }
}
