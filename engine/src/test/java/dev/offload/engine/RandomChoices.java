package dev.offload.engine;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Rows for tests whose choices begin alike. */
final class RandomChoices {
  private static final int MOST_CHOICES = 7;
  private static final int MOST_CHOICE_TOKENS = 6;

  private RandomChoices() {}

  static List<ChoiceRequest> rows(int count, int mostPromptTokens, int vocabulary, Random random) {
    List<ChoiceRequest> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = 1 + random.nextInt(mostPromptTokens);
      TokenIds prompt = TokenIds.of(random.ints(length, 0, vocabulary).toArray());
      rows.add(new ChoiceRequest(i, prompt, choices(vocabulary, random)));
    }
    return rows;
  }

  /** Choices of 1 to {@value #MOST_CHOICE_TOKENS} tokens of which there are only three. */
  static List<TokenIds> choices(int vocabulary, Random random) {
    int[] words = random.ints(3, 0, vocabulary).toArray();
    Set<TokenIds> choices = new LinkedHashSet<>();
    int count = 1 + random.nextInt(MOST_CHOICES);
    for (int i = 0; i < count; i++) {
      int length = 1 + random.nextInt(MOST_CHOICE_TOKENS);
      choices.add(TokenIds.of(random.ints(length, 0, 3).map(w -> words[w]).toArray()));
    }
    return List.copyOf(choices);
  }
}
