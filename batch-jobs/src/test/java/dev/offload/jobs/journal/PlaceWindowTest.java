package dev.offload.jobs.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PlaceWindowTest {

  @Test
  void shouldGiveRowsInOrderWhateverOrderTheyCameIn() {
    List<Integer> rows = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      rows.add(i);
    }
    Collections.shuffle(rows, new Random(3));
    PlaceWindow window = new PlaceWindow();
    long taken = 0;
    for (int row : rows) {
      assertFalse(window.has(row));
      assertTrue(window.put(row, row + 1));
      assertTrue(window.has(row));
      for (long place; (place = window.take()) != 0; ) {
        assertEquals(++taken, place);
      }
    }
    assertEquals(20_000, taken);
    assertEquals(20_000, window.first());
  }

  @Test
  void shouldRefuseARowTwice() {
    PlaceWindow window = new PlaceWindow();
    assertTrue(window.put(0, 1));
    assertFalse(window.put(0, 2));
    assertEquals(1, window.take());
    assertFalse(window.put(0, 3));
    assertTrue(window.put(5_000_000, 4));
    assertFalse(window.has(5_000_001));
  }
}
