package dev.offload.backends.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MemoryBudgetTest {

  @Test
  void shouldNeverExceedTheLimitByOneByte() {
    MemoryBudget budget = new MemoryBudget("device", 100);
    budget.claim("ring", 60);
    MemoryBudgetException refusal =
        assertThrows(MemoryBudgetException.class, () -> budget.claim("cache", 41));
    assertTrue(refusal.getMessage().contains("cache"), refusal.getMessage());
    budget.claim("cache", 40);
    assertEquals(100, budget.allocated());
    assertThrows(MemoryBudgetException.class, () -> budget.claim("huge", Long.MAX_VALUE));
  }

  @Test
  void shouldRememberThePeak() {
    MemoryBudget budget = new MemoryBudget("host", 100);
    budget.claim("a", 70);
    budget.release(70);
    budget.claim("b", 30);
    assertEquals(30, budget.allocated());
    assertEquals(70, budget.peak());
  }

  @Test
  void shouldRefuseNegativeSizes() {
    MemoryBudget budget = new MemoryBudget("host", 100);
    assertThrows(IllegalArgumentException.class, () -> budget.claim("a", -1));
  }
}
