package dev.offload.generation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One row whose choices are to be scored: how likely is each of them behind the prompt?
 *
 * @param index the caller's number of the row, returned with the result
 * @param prompt at least one token id
 * @param choices at least one; each at least one token id long, no two equal. One may begin with
 *     another
 */
public record ChoiceRequest(long index, TokenIds prompt, List<TokenIds> choices) {
  public ChoiceRequest {
    if (prompt.size() == 0) {
      throw new IllegalArgumentException("prompt is empty");
    }
    choices = List.copyOf(choices);
    if (choices.isEmpty()) {
      throw new IllegalArgumentException("there are no choices, at least one is needed");
    }
    Map<TokenIds, Integer> seen = new HashMap<>();
    for (int i = 0; i < choices.size(); i++) {
      if (choices.get(i).size() == 0) {
        throw new IllegalArgumentException("choice " + i + " is empty");
      }
      Integer same = seen.putIfAbsent(choices.get(i), i);
      if (same != null) {
        throw new IllegalArgumentException(
            "choices %d and %d are the same tokens %s".formatted(same, i, choices.get(i)));
      }
    }
  }
}
