package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class SequenceOutputTest {
  private static final int END = 7;
  private static final int VOCABULARY = 16;

  private static final OutputRules BARE =
      new OutputRules(Optional.empty(), TokenIds.of(END), VOCABULARY, 64, 5);

  /** Parameters of one test, all others off. */
  private static final class Params {
    double temperature;
    double repetition = 1;
    double presence;
    double frequency;
    Map<Integer, Double> bias = Map.of();
    OptionalLong seed = OptionalLong.empty();
    int maxTokens = 8;
    int minTokens;
    boolean ignoreEos;
    List<String> stop = List.of();
    List<Integer> stopTokens = List.of();
    int logprobs = -1;

    SamplingParams build() {
      return new SamplingParams(
          temperature,
          1,
          0,
          0,
          repetition,
          presence,
          frequency,
          bias,
          seed,
          maxTokens,
          minTokens,
          ignoreEos,
          stop,
          stopTokens,
          1,
          logprobs);
    }
  }

  private static SequenceOutput output(OutputRules rules, Params params, int... prompt) {
    return new SequenceOutput(
        rules, new GenerationRequest(3, TokenIds.of(prompt), params.build()), 0);
  }

  private static MemorySegment favouring(int token) {
    float[] logits = new float[VOCABULARY];
    logits[token] = 4;
    return Rows.of(logits);
  }

  @Test
  void shouldStopAtAnEndToken() {
    SequenceOutput output = output(BARE, new Params(), 1);
    assertFalse(output.accept(favouring(3)));
    assertEquals(3, output.lastToken());
    assertTrue(output.accept(favouring(END)));
    Choice choice = output.choice();
    assertEquals(TokenIds.of(3, END), choice.tokens());
    assertEquals(FinishReason.STOP, choice.finishReason());
    assertEquals("", choice.text());
    assertEquals(Optional.empty(), choice.logprobs());
    assertThrows(IllegalStateException.class, () -> output.accept(favouring(3)));
  }

  @Test
  void shouldGoOnPastEndTokensWhenToldSo() {
    Params params = new Params();
    params.ignoreEos = true;
    params.stopTokens = List.of(2);
    SequenceOutput output = output(BARE, params, 1);
    assertFalse(output.accept(favouring(END)));
    assertTrue(output.accept(favouring(2)));
    assertEquals(FinishReason.STOP, output.choice().finishReason());
  }

  @Test
  void shouldEndAtMaxTokensAndAtTheContext() {
    Params params = new Params();
    params.maxTokens = 2;
    SequenceOutput output = output(BARE, params, 1);
    assertFalse(output.accept(favouring(3)));
    assertTrue(output.accept(favouring(3)));
    assertEquals(FinishReason.LENGTH, output.choice().finishReason());

    OutputRules narrow = new OutputRules(Optional.empty(), TokenIds.of(END), VOCABULARY, 4, 5);
    assertTrue(output(narrow, new Params(), 1, 2, 3).accept(favouring(3)));
    assertThrows(IllegalArgumentException.class, () -> output(narrow, new Params(), 1, 2, 3, 4));
  }

  @Test
  void shouldHoldBackEndTokensBeforeMinTokens() {
    Params params = new Params();
    params.minTokens = 2;
    SequenceOutput output = output(BARE, params, 1);
    MemorySegment row = favouring(END);
    float[] before = row.toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
    assertFalse(output.accept(row));
    assertFalse(output.accept(row));
    assertTrue(output.accept(row));
    assertEquals(TokenIds.of(0, 0, END), output.choice().tokens());
    assertArrayEquals(before, row.toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT));
  }

  @Test
  void shouldAddBias() {
    Params params = new Params();
    params.bias = Map.of(9, 5.0, 3, -100.0);
    SequenceOutput output = output(BARE, params, 1);
    output.accept(favouring(3));
    assertEquals(9, output.lastToken());
  }

  @Test
  void shouldPenaliseRepetitionOfPromptAndOutput() {
    Params params = new Params();
    params.repetition = 2;
    SequenceOutput output = output(BARE, params, 3);
    float[] logits = new float[VOCABULARY];
    logits[3] = 4;
    logits[4] = 2.5f;
    logits[5] = 2.1f;
    output.accept(Rows.of(logits));
    assertEquals(4, output.lastToken()); // 4 / 2 < 2.5
    output.accept(Rows.of(logits));
    assertEquals(5, output.lastToken()); // 2.5 / 2 < 2.1
    output.accept(Rows.of(logits));
    assertEquals(3, output.lastToken()); // all halved
  }

  @Test
  void shouldPenalisePresenceAndFrequencyOfTheOutputOnly() {
    Params params = new Params();
    params.presence = 1;
    params.frequency = 0.5;
    SequenceOutput output = output(BARE, params, 3);
    float[] logits = new float[VOCABULARY];
    logits[3] = 3;
    logits[4] = 1.2f;
    output.accept(Rows.of(logits));
    output.accept(Rows.of(logits)); // 3 − 1.5
    output.accept(Rows.of(logits)); // 3 − 2 < 1.2
    output.accept(Rows.of(logits)); // 3 − 2 > 1.2 − 1.5
    for (int i = 0; i < 4; i++) {
      output.accept(Rows.of(logits));
    }
    assertEquals(TokenIds.of(3, 3, 4, 3), TokenIds.of(first(output.choice().tokens(), 4)));
  }

  private static int[] first(TokenIds tokens, int count) {
    return tokens.stream().limit(count).toArray();
  }

  @Test
  void shouldTellLogprobsOfTheModelItself() {
    Params params = new Params();
    params.logprobs = 2;
    params.bias = Map.of(5, 100.0);
    SequenceOutput output = output(BARE, params, 1);
    output.accept(favouring(3));
    output.accept(favouring(3));
    for (int i = 2; i < 8; i++) {
      output.accept(favouring(3));
    }
    TokenLogprob logprob = output.choice().logprobs().orElseThrow().getFirst();
    double logSum = Math.log(Math.exp(4) + VOCABULARY - 1);
    assertEquals(5, logprob.token());
    assertEquals(-logSum, logprob.logprob(), 1e-9);
    assertEquals(List.of(3, 0), logprob.top().stream().map(TokenLogprob::token).toList());
    assertEquals(4 - logSum, logprob.top().getFirst().logprob(), 1e-9);
  }

  @Test
  void shouldDrawTheSameWithTheSameSeed() {
    Params params = new Params();
    params.temperature = 1.5;
    params.seed = OptionalLong.of(99);
    assertEquals(draw(BARE, params, 3, 0), draw(BARE, params, 3, 0));
    assertEquals(draw(BARE, params, 3, 0), draw(BARE, params, 4, 0)); // its own seed decides
    assertFalse(draw(BARE, params, 3, 0).equals(draw(BARE, params, 3, 1)));
    params.seed = OptionalLong.empty();
    assertEquals(draw(BARE, params, 3, 0), draw(BARE, params, 3, 0));
    assertFalse(draw(BARE, params, 3, 0).equals(draw(BARE, params, 4, 0)));
  }

  private static TokenIds draw(OutputRules rules, Params params, long row, int choice) {
    params.ignoreEos = true;
    SequenceOutput output =
        new SequenceOutput(
            rules, new GenerationRequest(row, TokenIds.of(1), params.build()), choice);
    while (!output.accept(Rows.of(new float[VOCABULARY]))) {}
    return output.choice().tokens();
  }

  @Test
  void shouldNameTheRowOfNan() {
    SequenceOutput output = output(BARE, new Params(), 1);
    float[] logits = new float[VOCABULARY];
    logits[6] = Float.NaN;
    String message =
        assertThrows(LogitsException.class, () -> output.accept(Rows.of(logits))).getMessage();
    assertTrue(message.startsWith("row 3, output 0, token 0: "), message);
  }

  @Test
  void shouldRefuseWhatTheModelDoesNotHave() {
    Params bias = new Params();
    bias.bias = Map.of(VOCABULARY, 1.0);
    assertThrows(IllegalArgumentException.class, () -> output(BARE, bias, 1));
    Params stopToken = new Params();
    stopToken.stopTokens = List.of(-1);
    assertThrows(IllegalArgumentException.class, () -> output(BARE, stopToken, 1));
    assertThrows(IllegalArgumentException.class, () -> output(BARE, new Params(), VOCABULARY));
    Params stop = new Params();
    stop.stop = List.of("x");
    assertThrows(IllegalArgumentException.class, () -> output(BARE, stop, 1));
  }

  @Test
  void shouldWriteTextUpToTheStop() throws IOException, URISyntaxException {
    Path folder =
        Path.of(
            Objects.requireNonNull(SequenceOutputTest.class.getResource("/fixtures/qwen3-moe"))
                .toURI());
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      int size = tokenizer.vocabularySize();
      OutputRules rules = new OutputRules(Optional.of(tokenizer), TokenIds.of(), size, 200, 5);
      TokenIds said = tokenizer.encode("One. Two. Three STOP four", false);
      Params params = new Params();
      params.maxTokens = 100;
      params.stop = List.of("STOP", "four");
      SequenceOutput output = output(rules, params, 1);
      for (int i = 0; !output.finished(); i++) {
        float[] logits = new float[size];
        logits[said.get(i)] = 9;
        output.accept(Rows.of(logits));
      }
      assertEquals("One. Two. Three ", output.choice().text());
      assertEquals(FinishReason.STOP, output.choice().finishReason());
      assertTrue(output.size() < said.size());
    }
  }
}
