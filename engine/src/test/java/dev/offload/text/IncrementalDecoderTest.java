package dev.offload.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class IncrementalDecoderTest {
  private static final int SEQUENCES = 300;

  /** One of each kind of decoder: bytes, bytes by fallback with and without a stripped blank. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3-moe", "opt-pre", "llama2-mha", "gemma2", "llama-bias-unigram"})
  void shouldGiveTheTextOfTheWholeInParts(String model) throws IOException {
    Random random = new Random(7);
    TokenizerSource source = TokenizerSource.read(TokenizerFixtures.folder(model));
    try (Tokenizer tokenizer = TokenizerFixtures.open(model)) {
      long oracle = TokenizersLibrary.LIB.createTokenizerFromString(source.json());
      for (int i = 0; i < SEQUENCES; i++) {
        int[] ids = random.ints(random.nextInt(20), 0, tokenizer.vocabularySize() + 3).toArray();
        IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, List.of());
        StringBuilder parts = new StringBuilder();
        for (int id : ids) {
          String part = decoder.push(id);
          assertFalse(endsInHalfCharacter(part), () -> "half a character in " + part);
          parts.append(part);
        }
        parts.append(decoder.finish());
        long[] wide = TokenIds.of(ids).stream().asLongStream().toArray();
        String expected = TokenizersLibrary.LIB.decode(oracle, wide, true);
        assertEquals(expected, parts.toString());
        assertEquals(expected, decoder.text());
        assertEquals(expected, tokenizer.decode(TokenIds.of(ids), true));
      }
      TokenizersLibrary.LIB.deleteTokenizer(oracle);
    }
  }

  private static boolean endsInHalfCharacter(String part) {
    return !part.isEmpty() && Character.isHighSurrogate(part.charAt(part.length() - 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen3-moe", "llama2-mha", "llama-bias-unigram"})
  void shouldStopAtStopTextsHoweverTokensAreCut(String model) {
    Random random = new Random(11);
    String text = "One two, three 🙂\n\nfour: abababac user:\nLe garçon 日本語 done. END of it 🙂🙂!";
    try (Tokenizer tokenizer = TokenizerFixtures.open(model)) {
      TokenIds ids = tokenizer.encode(text, false);
      String whole = tokenizer.decode(ids, true);
      for (int i = 0; i < SEQUENCES; i++) {
        List<String> stops = new ArrayList<>();
        for (int s = random.nextInt(3); s >= 0; s--) {
          stops.add(part(whole, random));
        }
        IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, stops);
        String expected = cut(whole, stops);
        StringBuilder parts = new StringBuilder();
        for (int t = 0; t < ids.size() && !decoder.stopped(); t++) {
          parts.append(decoder.push(ids.get(t)));
          assertTrue(expected.startsWith(parts.toString()), () -> parts + " for " + stops);
        }
        parts.append(decoder.finish());
        assertTrue(decoder.stopped(), () -> "not stopped by " + stops);
        assertEquals(expected, parts.toString(), () -> "stops " + stops);
      }
    }
  }

  private static String part(String text, Random random) {
    int from = text.offsetByCodePoints(0, random.nextInt(text.codePointCount(0, text.length())));
    int left = text.codePointCount(from, text.length());
    return text.substring(
        from, text.offsetByCodePoints(from, 1 + random.nextInt(Math.min(left, 6))));
  }

  /** The text up to the stop text that ends first, and of those the longest. */
  private static String cut(String text, List<String> stops) {
    for (int end = 1; end <= text.length(); end++) {
      int longest = 0;
      for (String stop : stops) {
        if (text.startsWith(stop, end - stop.length())) {
          longest = Math.max(longest, stop.length());
        }
      }
      if (longest > 0) {
        return text.substring(0, end - longest);
      }
    }
    return text;
  }

  @Test
  void shouldStopAtALineEndSpelledAsAByte() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("llama2-mha")) {
      TokenIds ids = tokenizer.encode("hello\nworld", false);
      IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, List.of("\n"));
      int pushed = 0;
      while (!decoder.stopped()) {
        decoder.push(ids.get(pushed++));
      }
      assertEquals(tokenizer.encode("hello\n", false).size(), pushed);
      decoder.finish();
      assertEquals("hello", decoder.text());
    }
  }

  @Test
  void shouldTakeStopTextsAsTextWhereToldSo() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("qwen3-moe")) {
      TokenIds ids = tokenizer.encode("a#b#c", false);
      IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, List.of("#"));
      decoder.pushWithoutStopping(ids.get(0));
      decoder.pushWithoutStopping(ids.get(1));
      for (int i = 2; i < ids.size() && !decoder.stopped(); i++) {
        decoder.push(ids.get(i));
      }
      assertTrue(decoder.stopped());
      decoder.finish();
      assertEquals("a#b", decoder.text());
    }
  }

  @Test
  void shouldRefuseTokensBehindTheEnd() {
    try (Tokenizer tokenizer = TokenizerFixtures.open("qwen3-moe")) {
      IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, List.of());
      decoder.finish();
      assertThrows(IllegalStateException.class, () -> decoder.push(1));
    }
  }
}
