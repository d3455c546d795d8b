package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.TokenIds;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ChoiceScoresTest {
  private static final int VOCABULARY = 11;
  private static final OutputRules RULES =
      new OutputRules(Optional.empty(), TokenIds.of(), VOCABULARY, 16, 0);

  @Test
  void shouldScoreATokenByThePromptsLogitsAlone() {
    ChoiceScores scores = scores(TokenIds.of(2), TokenIds.of(0));
    assertTrue(scores.accept(logits(List.of())));
    assertEquals(
        List.of(logprob(List.of(), 2), logprob(List.of(), 0)), scores.result().logLikelihoods());
    assertEquals(5, scores.result().promptTokens());
    assertThrows(IllegalStateException.class, () -> scores.accept(logits(List.of())));
  }

  @Test
  void shouldWalkBranchesInOrderAndKeepWhatTheyShare() {
    ChoiceScores scores =
        scores(TokenIds.of(3, 1, 2), TokenIds.of(1, 9), TokenIds.of(3, 1), TokenIds.of(3, 2, 2, 2));
    assertFalse(scores.accept(logits(List.of())));
    assertEquals(branch(0, 1), scores.branch());
    assertFalse(scores.accept(logits(List.of(1))));
    assertEquals(branch(0, 3, 1), scores.branch());
    assertFalse(scores.accept(logits(List.of(3))));
    assertEquals(Optional.empty(), scores.branch());
    assertThrows(IllegalStateException.class, scores::result);
    assertFalse(scores.accept(logits(List.of(3, 1))));
    assertEquals(branch(1, 2, 2), scores.branch());
    assertFalse(scores.accept(logits(List.of(3, 2))));
    assertTrue(scores.accept(logits(List.of(3, 2, 2))));
    assertEquals(
        logprob(List.of(), 3) + logprob(List.of(3), 1) + logprob(List.of(3, 1), 2),
        scores.result().logLikelihoods().getFirst());
  }

  @Test
  void shouldScoreAnyTreeWithEachInnerNodeOnce() {
    Random random = new Random(7);
    for (int round = 0; round < 500; round++) {
      List<TokenIds> choices = randomChoices(random);
      Set<List<Integer>> inner = new HashSet<>();
      for (TokenIds choice : choices) {
        for (int length = 0; length < choice.size(); length++) {
          inner.add(choice.stream().limit(length).boxed().toList());
        }
      }
      ChoiceScores scores = scores(choices.toArray(TokenIds[]::new));
      assertEquals(inner.size(), walk(scores), choices::toString);
      for (int c = 0; c < choices.size(); c++) {
        assertEquals(expected(choices.get(c)), scores.result().logLikelihoods().get(c), 1e-12);
      }
    }
  }

  /** Returns how many rows of logits it took. */
  private static int walk(ChoiceScores scores) {
    List<Integer> tokens = new ArrayList<>();
    int rows = 1;
    boolean finished = scores.accept(logits(tokens));
    while (!finished) {
      ChoiceScores.Branch branch = scores.branch().orElseThrow();
      tokens = new ArrayList<>(tokens.subList(0, branch.kept()));
      for (int token : branch.tokens().toArray()) {
        tokens.add(token);
        finished = scores.accept(logits(tokens));
        rows++;
      }
    }
    return rows;
  }

  private static List<TokenIds> randomChoices(Random random) {
    Set<TokenIds> choices = new HashSet<>();
    int count = 1 + random.nextInt(12);
    for (int i = 0; i < count; i++) {
      choices.add(TokenIds.of(random.ints(1 + random.nextInt(6), 0, 3).toArray()));
    }
    return List.copyOf(choices);
  }

  @Test
  void shouldTellImpossibleChoices() {
    float[] logits = new float[VOCABULARY];
    logits[4] = Float.NEGATIVE_INFINITY;
    ChoiceScores scores = scores(TokenIds.of(4), TokenIds.of(5));
    assertTrue(scores.accept(MemorySegment.ofArray(logits)));
    assertEquals(
        List.of(Double.NEGATIVE_INFINITY, -Math.log(VOCABULARY - 1)),
        scores.result().logLikelihoods());
  }

  @Test
  void shouldNameTheRowOfBrokenLogits() {
    float[] logits = new float[VOCABULARY];
    logits[4] = Float.NaN;
    ChoiceScores scores = scores(TokenIds.of(3, 5));
    scores.accept(logits(List.of()));
    String message =
        assertThrows(LogitsException.class, () -> scores.accept(MemorySegment.ofArray(logits)))
            .getMessage();
    assertEquals("row 17, behind [3] of the choices: the logits hold NaN at token 4", message);
  }

  @Test
  void shouldRefuseWhatTheModelDoesNotHave() {
    assertEquals(
        "choice 1 names token 11, the vocabulary has ids from 0 to 10",
        refusal(TokenIds.of(0), TokenIds.of(0), TokenIds.of(3, 11)));
    assertEquals(
        "prompt names token -1, the vocabulary has ids from 0 to 10",
        refusal(TokenIds.of(-1), TokenIds.of(0)));
    assertEquals(
        "prompt has 13 tokens and the longest choice 4, which does not fit the context of 16",
        refusal(TokenIds.of(new int[13]), TokenIds.of(0), TokenIds.of(1, 2, 3, 4)));
  }

  private static String refusal(TokenIds prompt, TokenIds... choices) {
    ChoiceRequest request = new ChoiceRequest(0, prompt, List.of(choices));
    return assertThrows(IllegalArgumentException.class, () -> new ChoiceScores(RULES, request))
        .getMessage();
  }

  private static ChoiceScores scores(TokenIds... choices) {
    TokenIds prompt = TokenIds.of(1, 2, 3, 4, 5);
    return new ChoiceScores(RULES, new ChoiceRequest(17, prompt, List.of(choices)));
  }

  private static Optional<ChoiceScores.Branch> branch(int kept, int... tokens) {
    return Optional.of(new ChoiceScores.Branch(kept, TokenIds.of(tokens)));
  }

  private static double expected(TokenIds choice) {
    double sum = 0;
    for (int i = 0; i < choice.size(); i++) {
      sum += logprob(choice.stream().limit(i).boxed().toList(), choice.get(i));
    }
    return sum;
  }

  /** A model: the logits behind these tokens. */
  private static MemorySegment logits(List<Integer> behind) {
    return MemorySegment.ofArray(Rows.random(VOCABULARY, 3, behind.hashCode()));
  }

  private static double logprob(List<Integer> behind, int token) {
    float[] logits = Rows.random(VOCABULARY, 3, behind.hashCode());
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[token] - Math.log(sum);
  }
}
