package dev.offload.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ChoiceRequestTest {
  private static final TokenIds PROMPT = TokenIds.of(1, 2);

  @Test
  void shouldTakeChoicesThatBeginWithEachOther() {
    List<TokenIds> choices = List.of(TokenIds.of(3, 4), TokenIds.of(3), TokenIds.of(3, 4, 5));
    assertEquals(choices, new ChoiceRequest(0, PROMPT, choices).choices());
  }

  @Test
  void shouldRefuseWhatCannotBeScored() {
    assertEquals("prompt is empty", refusal(TokenIds.of(), TokenIds.of(3)));
    assertEquals("there are no choices, at least one is needed", refusal(PROMPT));
    assertEquals("choice 1 is empty", refusal(PROMPT, TokenIds.of(3), TokenIds.of()));
    assertEquals(
        "choices 0 and 2 are the same tokens [3, 4]",
        refusal(PROMPT, TokenIds.of(3, 4), TokenIds.of(3), TokenIds.of(3, 4)));
  }

  private static String refusal(TokenIds prompt, TokenIds... choices) {
    return assertThrows(
            IllegalArgumentException.class, () -> new ChoiceRequest(0, prompt, List.of(choices)))
        .getMessage();
  }
}
