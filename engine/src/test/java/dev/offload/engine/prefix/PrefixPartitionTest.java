package dev.offload.engine.prefix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.TokenIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrefixPartitionTest {
  private static final int ANY = Integer.MAX_VALUE;

  @Test
  void shouldShareWholeBlocksButNotTheLastToken() {
    List<TokenIds> prompts = List.of(range(0, 9), range(0, 8), range(0, 12), range(50, 59));
    assertEquals(
        List.of(group(4, 0, 1, 2), group(0, 3)), PrefixPartition.of(prompts, List.of(), 4, ANY));
    assertEquals(
        List.of(group(8, 0, 2), group(0, 1), group(0, 3)),
        PrefixPartition.of(prompts, List.of(), 8, ANY));
  }

  @Test
  void shouldTakeTheDeeperPrefixesWhereTheySaveMore() {
    List<TokenIds> prompts = new ArrayList<>();
    for (int template : new int[] {100, 200}) {
      for (int row = 0; row < 5; row++) {
        prompts.add(join(range(0, 2), range(template, template + 10), range(row, row + 3)));
      }
    }
    // 9 · 2 tokens at the root, 2 · 4 · 12 below it.
    assertEquals(
        List.of(group(12, 0, 1, 2, 3, 4), group(12, 5, 6, 7, 8, 9)),
        PrefixPartition.of(prompts, List.of(), 2, ANY));
  }

  @Test
  void shouldKeepALongPrefixOfAllTogether() {
    List<TokenIds> prompts = new ArrayList<>();
    for (int row = 0; row < 10; row++) {
      prompts.add(join(range(0, 20), range(row / 2 * 10, row / 2 * 10 + 4), range(row, row + 2)));
    }
    // 9 · 20 tokens, against 5 · 24 of pairs.
    assertEquals(
        List.of(group(20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
        PrefixPartition.of(prompts, List.of(), 4, ANY));
  }

  @Test
  void shouldPreferAComputedPrefix() {
    List<TokenIds> prompts =
        List.of(join(range(0, 8), range(90, 93)), join(range(0, 8), range(90, 99)));
    assertEquals(List.of(group(10, 0, 1)), PrefixPartition.of(prompts, List.of(), 2, ANY));
    assertEquals(
        List.of(group(8, 0, 1)), PrefixPartition.of(prompts, List.of(range(0, 8)), 2, ANY));
    assertEquals(
        List.of(group(8, 0)),
        PrefixPartition.of(prompts.subList(0, 1), List.of(range(0, 8)), 2, ANY));
    assertEquals(
        List.of(group(0, 0)),
        PrefixPartition.of(List.of(range(3, 9)), List.of(range(0, 8)), 2, ANY));
  }

  @Test
  void shouldNotShareLongPrompts() {
    List<TokenIds> prompts = List.of(range(0, 20), range(0, 21), range(0, 22));
    assertEquals(
        List.of(group(16, 0, 1), group(0, 2)), PrefixPartition.of(prompts, List.of(), 4, 21));
  }

  @Test
  void shouldSaveTheMost() {
    Random random = new Random(1);
    for (int round = 0; round < 2000; round++) {
      int blockTokens = 1 + random.nextInt(3);
      List<TokenIds> prompts =
          random
              .ints(1 + random.nextInt(12), 1, 10)
              .mapToObj(size -> TokenIds.of(random.ints(size, 0, 2).toArray()))
              .toList();
      List<TokenIds> computed =
          random
              .ints(random.nextInt(3), 1, 4)
              .mapToObj(n -> TokenIds.of(random.ints((long) n * blockTokens, 0, 2).toArray()))
              .distinct()
              .toList();
      List<PrefixGroup> groups = PrefixPartition.of(prompts, computed, blockTokens, ANY);

      assertEquals(
          IntStream.range(0, prompts.size()).boxed().toList(),
          groups.stream().flatMap(group -> group.members().stream()).sorted().toList());
      assertEquals(
          groups.stream().map(PrefixGroup::first).sorted().toList(),
          groups.stream().map(PrefixGroup::first).toList());
      long saved = 0;
      for (PrefixGroup group : groups) {
        assertEquals(0, group.tokens() % blockTokens);
        TokenIds prefix = prompts.get(group.first()).first(group.tokens());
        for (int member : group.members()) {
          assertTrue(group.tokens() < prompts.get(member).size() || group.tokens() == 0);
          assertEquals(prefix, prompts.get(member).first(group.tokens()));
        }
        int free = computed.contains(prefix) ? 0 : 1;
        saved += (long) group.tokens() * (group.members().size() - free);
      }
      assertEquals(
          mostSaved(prompts, computed, 0, blockTokens), saved, () -> prompts + " " + computed);
    }
  }

  /** By trying all prefixes. */
  private static long mostSaved(
      List<TokenIds> prompts, List<TokenIds> computed, int tokens, int blockTokens) {
    if (prompts.isEmpty()) {
      return 0;
    }
    int free = computed.contains(prompts.getFirst().first(tokens)) ? 0 : 1;
    long together = (long) tokens * (prompts.size() - free);
    Map<TokenIds, List<TokenIds>> longer = new HashMap<>();
    for (TokenIds prompt : prompts) {
      if (tokens + blockTokens < prompt.size()) {
        longer
            .computeIfAbsent(prompt.first(tokens + blockTokens), _ -> new ArrayList<>())
            .add(prompt);
      }
    }
    long below =
        longer.values().stream()
            .mapToLong(some -> mostSaved(some, computed, tokens + blockTokens, blockTokens))
            .sum();
    return Math.max(together, below);
  }

  private static PrefixGroup group(int tokens, Integer... members) {
    return new PrefixGroup(tokens, List.of(members));
  }

  private static TokenIds range(int from, int end) {
    return TokenIds.of(IntStream.range(from, end).toArray());
  }

  private static TokenIds join(TokenIds... parts) {
    return TokenIds.of(List.of(parts).stream().flatMapToInt(TokenIds::stream).toArray());
  }
}
