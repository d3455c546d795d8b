package dev.offload.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TokenCountsTest {
  @Test
  void shouldCountAnyNumberOfTokens() {
    Random random = new Random(1);
    TokenCounts counts = new TokenCounts();
    Map<Integer, Integer> expected = new HashMap<>();
    for (int i = 0; i < 3000; i++) {
      int token = random.nextInt(900);
      if (random.nextBoolean()) {
        counts.seenInPrompt(token);
        expected.merge(token, 0, Integer::sum);
      } else {
        counts.generated(token);
        expected.merge(token, 1, Integer::sum);
      }
    }
    assertEquals(expected.size(), counts.size());
    for (int entry = 0; entry < counts.size(); entry++) {
      assertEquals(expected.get(counts.token(entry)), counts.count(entry));
    }
  }
}
