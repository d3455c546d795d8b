package dev.offload.backends.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class AttentionWorkTest {

  @Test
  void shouldReadSizesFromText() {
    assertEquals(new AttentionWork(32, 1, 144, 0), AttentionWork.parse("32x1@144"));
    assertEquals(new AttentionWork(32, 1, 144, 128), AttentionWork.parse("32x1@144/128"));
    assertThrows(IllegalArgumentException.class, () -> AttentionWork.parse("32x1"));
  }

  @Test
  void shouldRefuseMoreRowsThanContext() {
    assertThrows(IllegalArgumentException.class, () -> AttentionWork.parse("1x5@4"));
    assertThrows(IllegalArgumentException.class, () -> AttentionWork.parse("2x5@20/16"));
  }

  @Test
  void shouldKeepSharedTokensOnce() {
    assertEquals(4 * 3, AttentionWork.parse("4x1@20").blocks(8));
    assertEquals(2 + 4 * 1, AttentionWork.parse("4x1@20/16").blocks(8));
    assertEquals(16 + 4 * 4, AttentionWork.parse("4x1@20/16").cachedTokens());
  }

  @Test
  void shouldCountWhatCausalRowsSee() {
    assertEquals(2 * (1 + 2 + 3), AttentionWork.parse("2x3@3").pairs());
    assertEquals(2 * (9 + 10), AttentionWork.parse("2x2@10").pairs());
    assertEquals(7, AttentionWork.parse("1x1@7").pairs());
  }
}
