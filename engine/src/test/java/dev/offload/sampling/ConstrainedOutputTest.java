package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.offload.constraint.TextConstraint;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Outputs under a constraint, drawn from random logits with the tokenizers of many models. */
final class ConstrainedOutputTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MOST_TOKENS = 300;
  private static final int END = 2;
  private static final String BYTES =
      "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false}";

  private static final List<String> REGEXES =
      List.of(
          "positive|negative|neutral",
          " ?[A-Z][a-z]{2,5}( [a-z]+){0,3}\\.",
          "(\\+\\d{1,3} )?\\d{3}-\\d{4}",
          "[^a-z]{1,6}",
          ".{3}",
          "\\s{0,3}x\\s{0,3}",
          "([é😀ß]|日本){1,5}",
          "  two|   three",
          " *",
          "a?");

  private static final List<String> SCHEMAS =
      List.of(
          """
          {"type":"object","additionalProperties":false,"required":["name","age"],"properties":{
            "name":{"type":"string","minLength":1,"maxLength":12},
            "age":{"type":"integer","minimum":-3,"maximum":150},
            "mood":{"enum":["good","bad",null,0.5]},
            "tags":{"type":"array","items":{"type":"string","pattern":"^[a-zé\\"]+$","maxLength":5},
                    "minItems":1,"maxItems":3},
            "nested":{"type":"object","properties":{"x":{"type":["number","null"]}},
                      "additionalProperties":false}}}
          """,
          """
          {"anyOf":[{"type":"array","maxItems":4,"items":{"$ref":"#/$defs/pair"}},{"const":{"a":[]}}],
           "$defs":{"pair":{"type":"object","properties":{"k":{"type":"boolean"},
             "v":{"type":"string","pattern":"x\\\\d","maxLength":4}},"required":["v"]}}}
          """,
          """
          {"type":"object","additionalProperties":{"type":"integer"}}
          """,
          """
          {"type":"array","items":{"type":"object"},"maxItems":2}
          """);

  @TempDir private Path folder;

  private static Tokenizer tokenizer(String model) throws IOException, URISyntaxException {
    return Tokenizer.open(
        Path.of(
            Objects.requireNonNull(ConstrainedOutputTest.class.getResource("/fixtures/" + model))
                .toURI()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama2-mha",
        "llama-bias-unigram",
        "gemma2",
        "phi3-swa",
        "gpt2-base",
        "qwen3-dense",
        "opt-post-proj",
        "deepseek-v3"
      })
  void shouldWriteWhatTheConstraintAllows(String model) throws Exception {
    try (Tokenizer tokenizer = tokenizer(model)) {
      int vocabulary = tokenizer.vocabularySize();
      OutputRules rules =
          new OutputRules(Optional.of(tokenizer), TokenIds.of(END), vocabulary, 10_000, 1);
      for (String regex : REGEXES) {
        Pattern pattern = Pattern.compile(regex);
        check(
            rules,
            TextConstraint.regex(regex),
            text -> assertTrue(pattern.matcher(text).matches(), () -> regex + " wrote " + text));
      }
      for (String schema : SCHEMAS) {
        Schema validator = validator(schema);
        check(
            rules,
            TextConstraint.jsonSchema(schema),
            text -> assertEquals(List.of(), errors(validator, text), text));
      }
      check(
          rules,
          TextConstraint.jsonObject(),
          text -> assertTrue(text.startsWith("{") && parse(text).isObject(), text));
    }
  }

  private interface Check {
    void check(String text) throws IOException;
  }

  private static JsonNode parse(String text) throws IOException {
    return JSON.readTree(text);
  }

  private static Schema validator(String schema) {
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
  }

  private static List<String> errors(Schema validator, String text) throws IOException {
    return validator.validate(parse(text)).stream().map(Object::toString).toList();
  }

  private static void check(OutputRules rules, TextConstraint constraint, Check check)
      throws IOException {
    int finished = 0;
    for (int seed = 0; seed < 12; seed++) {
      Choice choice = generate(rules, constraint, seed);
      if (choice.finishReason() == FinishReason.STOP) {
        finished++;
        check.check(choice.text());
      } else {
        assertEquals(MOST_TOKENS, choice.tokens().size());
      }
    }
    assertTrue(finished >= 6, finished + " outputs finished");
  }

  /** Random logits that like to end, and to end texts and arrays. */
  private static Choice generate(OutputRules rules, TextConstraint constraint, long seed) {
    Tokenizer tokenizer = rules.tokenizer().orElseThrow();
    Random random = new Random(seed);
    SequenceOutput output = output(rules, constraint, sampling(seed % 3 == 0 ? 0 : 1.5), seed);
    boolean finished = false;
    while (!finished) {
      float[] logits = Rows.random(rules.vocabularySize(), 3, random.nextLong());
      logits[END] += 4;
      for (int token = 0; token < logits.length; token++) {
        boolean ends = "\"]}".contains(tokenizer.tokenText(token));
        logits[token] += ends ? 5 : 0;
      }
      float[] before = logits.clone();
      finished = output.accept(MemorySegment.ofArray(logits));
      assertArrayEquals(before, logits);
    }
    return output.choice();
  }

  private static SequenceOutput output(
      OutputRules rules, TextConstraint constraint, SamplingParams sampling, long row) {
    return new SequenceOutput(
        rules, new GenerationRequest(row, TokenIds.of(1), sampling, Optional.of(constraint)), 0);
  }

  private static SamplingParams sampling(double temperature) {
    return new SamplingParams(
        temperature,
        1,
        0,
        0,
        1,
        0,
        0,
        Map.of(),
        OptionalLong.empty(),
        MOST_TOKENS,
        0,
        false,
        List.of(),
        List.of(),
        1,
        -1);
  }

  private static SamplingParams stoppingAt(int token) {
    return new SamplingParams(
        0,
        1,
        0,
        0,
        1,
        0,
        0,
        Map.of(),
        OptionalLong.empty(),
        MOST_TOKENS,
        0,
        false,
        List.of(),
        List.of(token),
        1,
        1);
  }

  /** A tokenizer of a few tokens; ids are their places. */
  private Tokenizer tokenizer(String decoder, String... tokens) throws IOException {
    StringBuilder vocabulary = new StringBuilder();
    for (int i = 0; i < tokens.length; i++) {
      vocabulary
          .append(i == 0 ? "" : ",")
          .append(JSON.writeValueAsString(tokens[i]))
          .append(":" + i);
    }
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"<e>",
        "single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
        "normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":%s,
        "model":{"type":"BPE","vocab":{%s},"merges":[]}}
        """
            .formatted(decoder, vocabulary));
    return Tokenizer.open(folder);
  }

  /** Greedy choices of an output whose logits fall with the token's id. */
  private static Choice greedy(OutputRules rules, TextConstraint constraint, int stop) {
    SequenceOutput output = output(rules, constraint, stoppingAt(stop), 0);
    float[] logits = new float[rules.vocabularySize()];
    for (int token = 0; token < logits.length; token++) {
      logits[token] = -token;
    }
    while (!output.accept(MemorySegment.ofArray(logits))) {
      assertFalse(output.finished());
    }
    return output.choice();
  }

  private static OutputRules rules(Tokenizer tokenizer) {
    int tokens = tokenizer.vocabularySize() + 2; // models have more than their tokenizers
    return new OutputRules(Optional.of(tokenizer), TokenIds.of(0), tokens, 1000, 1);
  }

  @Test
  void shouldEndWhenNothingCanFollowAndAllowEndTokensOnlyWhereATextMayEnd() throws IOException {
    try (Tokenizer tokenizer = tokenizer(BYTES, "<e>", "ab", "a", "b", "c", "x")) {
      OutputRules rules = rules(tokenizer);
      // Nothing can follow: no end token is needed.
      Choice choice = greedy(rules, TextConstraint.regex("abc"), 5);
      assertEquals(TokenIds.of(1, 4), choice.tokens());
      assertEquals(FinishReason.STOP, choice.finishReason());
      // The likeliest token is the end token, but the text may not end before aa; ab is likelier
      // than a.
      choice = greedy(rules, TextConstraint.regex("aab*"), 5);
      assertEquals(TokenIds.of(2, 1, 0), choice.tokens());
      assertEquals("aab", choice.text());
      // A stop token is no text, whatever its own is.
      choice = greedy(rules, TextConstraint.regex("aab"), 1);
      assertEquals(TokenIds.of(2, 2, 3), choice.tokens());
    }
  }

  @Test
  void shouldTellTheModelsOwnLogprobs() throws IOException {
    try (Tokenizer tokenizer = tokenizer(BYTES, "<e>", "a", "b")) {
      Choice choice = greedy(rules(tokenizer), TextConstraint.regex("b"), 1);
      var logprob = choice.logprobs().orElseThrow().getFirst();
      assertEquals(2, logprob.token());
      assertEquals(0, logprob.top().getFirst().token());
      double all = Arrays.stream(new double[] {0, -1, -2, -3, -4}).map(Math::exp).sum();
      assertEquals(-2 - Math.log(all), logprob.logprob(), 1e-6);
    }
  }

  /** The first token loses its mark for a blank; what is left may be nothing. */
  @Test
  void shouldKnowWhatTheFirstTokenLoses() throws IOException {
    String decoder = "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"always\"}";
    try (Tokenizer tokenizer = tokenizer(decoder, "<e>", "▁", "▁a", "a", "b", "▁▁a")) {
      OutputRules rules = rules(tokenizer);
      assertEquals(TokenIds.of(1, 3), greedy(rules, TextConstraint.regex("a"), 4).tokens());
      Choice choice = greedy(rules, TextConstraint.regex(" a"), 4);
      assertEquals(TokenIds.of(1, 1, 3), choice.tokens());
      assertEquals(" a", choice.text());
      choice = greedy(rules, TextConstraint.regex("a a"), 4);
      assertEquals("a a", choice.text());
    }
  }

  @Test
  void shouldNotLeadWhereTheVocabularyEnds() throws IOException {
    try (Tokenizer tokenizer = tokenizer(BYTES, "<e>", "ax", "a", "b")) {
      OutputRules rules = rules(tokenizer);
      assertEquals("ab", greedy(rules, TextConstraint.regex("axy|ab"), 1).text());
      String told =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> greedy(rules, TextConstraint.regex("axy"), 1))
              .getMessage();
      assertTrue(told.contains("no tokens for any text"), told);
    }
  }

  @Test
  void shouldRefuseWhatContradictsAConstraint() {
    OutputRules bare = new OutputRules(Optional.empty(), TokenIds.of(END), 16, 64, 5);
    TextConstraint constraint = TextConstraint.regex("a");
    assertThrows(IllegalArgumentException.class, () -> output(bare, constraint, sampling(0), 1));
    SamplingParams stops =
        new SamplingParams(
            0,
            1,
            0,
            0,
            1,
            0,
            0,
            Map.of(),
            OptionalLong.empty(),
            9,
            0,
            false,
            List.of("x"),
            List.of(),
            1,
            -1);
    assertThrows(IllegalArgumentException.class, () -> output(bare, constraint, stops, 1));
  }
}
