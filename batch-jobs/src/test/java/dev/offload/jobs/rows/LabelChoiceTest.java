package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.TokenIds;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LabelChoiceTest {
  /** The second choice has twice as many tokens. */
  private static final ChoiceRequest REQUEST =
      new ChoiceRequest(
          7, TokenIds.of(1), List.of(TokenIds.of(2), TokenIds.of(3, 4), TokenIds.of(5)));

  @Test
  void shouldGiveProbabilitiesInProportionToLikelihoods() {
    LabelChoice choice = choose(Normalisation.NONE, Math.log(0.02), Math.log(0.01), Math.log(0.05));
    assertEquals(2, choice.label());
    assertEquals(0.25, choice.probabilities().get(0), 1e-12);
    assertEquals(0.125, choice.probabilities().get(1), 1e-12);
    assertEquals(0.625, choice.probabilities().get(2), 1e-12);
  }

  @Test
  void shouldDivideByTokensOnlyIfAsked() {
    assertEquals(0, choose(Normalisation.NONE, -2, -3, -9).label());
    LabelChoice choice = choose(Normalisation.TOKENS, -2, -3, -9);
    assertEquals(1, choice.label());
    assertEquals(
        Math.exp(-0.5), choice.probabilities().get(0) / choice.probabilities().get(1), 1e-12);
  }

  @Test
  void shouldTakeTheFirstOfATie() {
    assertEquals(1, choose(Normalisation.NONE, -3, -1, -1).label());
    assertEquals(0, choose(Normalisation.NONE, -1, -1, -1).label());
    assertEquals(0, choose(Normalisation.TOKENS, -1, -2, -1).label());
    assertEquals(
        List.of(1 / 3.0, 1 / 3.0, 1 / 3.0), choose(Normalisation.NONE, -1, -1, -1).probabilities());
  }

  @Test
  void shouldStandVerySmallLikelihoods() {
    LabelChoice choice = choose(Normalisation.NONE, -5000, -5001, Double.NEGATIVE_INFINITY);
    assertEquals(0, choice.label());
    assertEquals(1 / (1 + Math.exp(-1)), choice.probabilities().get(0), 1e-12);
    assertEquals(0, choice.probabilities().get(2));
    double sum = choice.probabilities().stream().mapToDouble(Double::doubleValue).sum();
    assertEquals(1, sum, 1e-12);
  }

  @Test
  void shouldNotChooseAmongImpossibleLabels() {
    double never = Double.NEGATIVE_INFINITY;
    String message =
        assertThrows(
                IllegalStateException.class, () -> choose(Normalisation.NONE, never, never, never))
            .getMessage();
    assertTrue(message.startsWith("row 7: the model gives no label any probability"), message);
  }

  private static LabelChoice choose(Normalisation normalisation, double... logLikelihoods) {
    List<Double> list = Arrays.stream(logLikelihoods).boxed().toList();
    return LabelChoice.of(REQUEST, new ChoiceResult(7, list, 1), normalisation);
  }
}
