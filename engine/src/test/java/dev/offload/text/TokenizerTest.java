package dev.offload.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  @Test
  void shouldGiveTheBytesOfTokens() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("llama2-mha")) {
      TokenIds line = tokenizer.encode("a\n", false);
      assertEquals("\n", tokenizer.tokenText(line.get(line.size() - 1)));
      assertEquals(1, tokenizer.tokenBytes(line.get(line.size() - 1)).length);
      assertEquals("", tokenizer.tokenText(tokenizer.vocabularySize() + 1));
      assertEquals("</s>", tokenizer.tokenText(2));
    }
  }

  @Test
  void shouldRefuseHalfSurrogatePairs() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("gpt2-base")) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("ab\ud83dc", false))
              .getMessage();
      assertTrue(message.contains("U+D83D") && message.contains("index 2"), message);
    }
  }

  @Test
  void shouldRefuseToEncodeWhenClosed() {
    Tokenizer tokenizer = TokenizerFixtures.open("gpt2-base");
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode("a", false));
  }

  @Test
  void shouldEncodeFromManyThreads() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("qwen3-moe")) {
      TokenIds expected = tokenizer.encode("the quick brown fox", false);
      assertTrue(
          IntStream.range(0, 2000)
              .parallel()
              .allMatch(i -> tokenizer.encode("the quick brown fox", false).equals(expected)));
    }
  }

  @Test
  void shouldSayWhatIsMissing(@TempDir Path folder) throws IOException {
    assertFailure(folder, folder.toString(), "tokenizer.json", "copy");
    Files.writeString(folder.resolve("tokenizer.model"), "x");
    assertFailure(folder, "tokenizer.model", "save_pretrained");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"model\": 3}",
        "{\"model\": {\"type\": \"BPE\"}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 2000000000}, \"merges\": []}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": \"b\"}, \"merges\": []}}",
        "{\"model\": {\"type\": \"Nope\", \"vocab\": {\"a\": 0}, \"merges\": []}}",
        "{\"decoder\": {\"type\": \"CTC\"}, \"model\": {\"vocab\": {\"a\": 0}}}",
      })
  void shouldNameABrokenFile(String json, @TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json);
    assertFailure(folder, "tokenizer.json", "copy the file again");
  }

  @Test
  void shouldRefuseWhatIsNotUtf8(@TempDir Path folder) throws IOException {
    Files.write(
        folder.resolve("tokenizer.json"), "{\"a\": \"é\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertFailure(folder, "tokenizer.json", "UTF-8");
  }

  @Test
  void shouldNeedTokenizerJsonForOtherThanGpt2(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0}");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"Qwen2Tokenizer\"}");
    assertFailure(folder, "tokenizer_config.json", "Qwen2Tokenizer", "tokenizer.json");
  }

  private static void assertFailure(Path folder, String... parts) {
    String message =
        assertThrows(IOException.class, () -> Tokenizer.open(folder).close()).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}
