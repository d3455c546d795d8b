package dev.offload.engine.prefix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.engine.prefix.PrefixWindow.Item;
import dev.offload.engine.prefix.PrefixWindow.Limits;
import dev.offload.engine.prefix.PrefixWindow.Source;
import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrefixWindowTest {
  private static final int BLOCK = 4;

  private int taken;
  private int there = Integer.MAX_VALUE;

  private record Row(int number, TokenIds prompt, int sequences) {}

  @Test
  void shouldPutSharersTogetherInTheOrderOfTheirFirst() {
    List<Row> rows = rows(7, 8, 7, 9, 8, 7);
    assertEquals(
        List.of("0/8", "2/8", "5/8", "1/8", "4/8", "3/0"), all(rows, new PrefixSharing(100, 1000)));
  }

  @Test
  void shouldGiveRowsOnAsTheyCome() {
    List<Row> rows = rows(7, 8, 7, 9, 8, 7);
    assertEquals(List.of("0/0", "1/0", "2/0", "3/0", "4/0", "5/0"), all(rows, PrefixSharing.OFF));
    assertEquals(6, taken);
  }

  @Test
  void shouldLookAheadNoFartherThanTheWindow() {
    List<Row> rows = rows(7, 8, 7, 9, 8, 7);
    PrefixWindow<Row> window = window(rows, new PrefixSharing(4, 1000));
    window.next();
    assertEquals(4, taken);
    taken = 0;
    window(rows, new PrefixSharing(100, 25)).next();
    assertEquals(3, taken, "of 11 tokens each");
    taken = 0;
    PrefixWindow<Row> off = window(rows, PrefixSharing.OFF);
    off.next();
    assertEquals(1, taken);
  }

  @Test
  void shouldGoOnWithThePrefixUsedLast() {
    List<Row> rows = rows(7, 8, 7, 8, 7, 8, 9, 9);
    assertEquals(
        List.of("0/8", "2/8", "1/8", "3/8", "5/8", "4/8", "6/8", "7/8"),
        all(rows, new PrefixSharing(4, 1000)));
  }

  @Test
  void shouldTakeWhatIsThere() {
    List<Row> rows = rows(7, 8, 7, 8, 7);
    there = 2;
    PrefixWindow<Row> window = window(rows, new PrefixSharing(100, 1000));
    window.next();
    assertEquals(2, taken);
    there = 5;
    window.next();
    assertEquals(2, taken);
    window.next();
    assertEquals(5, taken);
  }

  @Test
  void shouldShareTheWholePromptOfARowWithSeveralOutputs() {
    Row row = new Row(0, TokenIds.of(IntStream.range(0, 11).toArray()), 3);
    assertEquals(List.of("0/8"), all(List.of(row), new PrefixSharing(100, 1000)));
    assertEquals(List.of("0/8", "0/8"), all(List.of(row, row), new PrefixSharing(100, 1000)));
  }

  /** Rows of 8 tokens by template, then 3 of their own. */
  private static List<Row> rows(int... templates) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < templates.length; i++) {
      int[] tokens = new int[11];
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = t < 8 ? 100 * templates[i] + t : 10_000 * (i + 1) + t;
      }
      rows.add(new Row(i, TokenIds.of(tokens), 1));
    }
    return rows;
  }

  private List<String> all(List<Row> rows, PrefixSharing sharing) {
    PrefixWindow<Row> window = window(rows, sharing);
    List<String> all = new ArrayList<>();
    for (Optional<Item<Row>> item = window.next(); item.isPresent(); item = window.next()) {
      all.add(item.get().row().number() + "/" + item.get().prefix().size());
    }
    assertTrue(window.next().isEmpty());
    return all;
  }

  private PrefixWindow<Row> window(List<Row> rows, PrefixSharing sharing) {
    taken = 0;
    return new PrefixWindow<>(
        new Source<>(
            () -> taken == rows.size() ? Optional.empty() : Optional.of(rows.get(taken++)),
            () -> taken < there,
            Row::prompt,
            Row::sequences),
        new Limits(sharing, BLOCK, Integer.MAX_VALUE));
  }
}
