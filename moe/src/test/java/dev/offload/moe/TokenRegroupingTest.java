package dev.offload.moe;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every pair gets a row, those of an expert are neighbours, and leading experts come first. */
class TokenRegroupingTest {
  private static final int EXPERTS = 11;
  private static final int TOKENS = 57;
  private static final int PER_TOKEN = 3;
  private static final int PAIRS = TOKENS * PER_TOKEN;

  private final TokenRegrouping regrouping = new TokenRegrouping(EXPERTS);
  private final MemorySegment chosen = ints();
  private final MemorySegment tokenOfRow = ints();
  private final MemorySegment rowOfPair = ints();

  private static MemorySegment ints() {
    return MemorySegment.ofArray(new int[PAIRS]);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void shouldSortByExpert(long seed) {
    Random random = new Random(seed);
    for (int pair = 0; pair < PAIRS; pair++) {
      chosen.setAtIndex(JAVA_INT, pair, random.nextInt(EXPERTS - 1));
    }
    BitSet leading = new BitSet();
    for (int expert = 0; expert < EXPERTS && seed > 1; expert++) {
      leading.set(expert, random.nextInt(3) == 0);
    }
    regrouping.sort(chosen, TOKENS, PER_TOKEN, leading, tokenOfRow, rowOfPair);

    int leadingRows = 0;
    int[] seen = new int[EXPERTS];
    for (int pair = 0; pair < PAIRS; pair++) {
      int expert = chosen.getAtIndex(JAVA_INT, pair);
      int row = rowOfPair.getAtIndex(JAVA_INT, pair);
      assertEquals(regrouping.firstRow(expert) + seen[expert]++, row, "in the order of tokens");
      assertEquals(pair / PER_TOKEN, tokenOfRow.getAtIndex(JAVA_INT, row));
      assertEquals(leading.get(expert), row < regrouping.leadingRows());
      leadingRows += leading.get(expert) ? 1 : 0;
    }
    assertEquals(leadingRows, regrouping.leadingRows());
    for (int expert = 0; expert < EXPERTS; expert++) {
      assertEquals(seen[expert], regrouping.rows(expert));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, EXPERTS})
  void shouldRefuseExpertsThatAreNone(int expert) {
    chosen.setAtIndex(JAVA_INT, 7, expert);
    IllegalStateException refusal =
        assertThrows(
            IllegalStateException.class,
            () -> regrouping.sort(chosen, TOKENS, PER_TOKEN, new BitSet(), tokenOfRow, rowOfPair));
    assertTrue(refusal.getMessage().contains("token 2 was routed to expert " + expert));
  }
}
