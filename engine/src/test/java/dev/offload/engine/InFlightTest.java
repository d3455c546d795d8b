package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.pass.Chunk;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.PassAssembler;
import dev.offload.engine.pass.Sequence;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.sampling.WantedLogits;
import dev.offload.tensors.DType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences come, grow, are preempted, come back and end; no model computes them. */
class InFlightTest {
  private static final int BLOCK_TOKENS = 4;

  @ParameterizedTest
  @EnumSource(AdmissionPolicy.class)
  void shouldFinishAllWithWhateverCache(AdmissionPolicy policy) {
    long preemptions = 0;
    long shared = 0;
    for (int seed = 0; seed < 150; seed++) {
      Random random = new Random(seed);
      List<Row> rows = new ArrayList<>();
      int count = 1 + random.nextInt(60);
      int longest = 1 + random.nextInt(80);
      boolean sharing = random.nextBoolean();
      int prefix = 0;
      for (int i = 0; i < count; i++) {
        int most = 1 + random.nextInt(longest);
        if (sharing && random.nextInt(5) == 0) {
          prefix = random.nextInt(6);
        }
        int prompt = prefix * BLOCK_TOKENS + 1 + random.nextInt(30);
        rows.add(new Row(i, prompt, most, 1 + random.nextInt(most), prefix));
      }
      int least = rows.stream().mapToInt(Row::mostBlocks).max().orElseThrow();
      Run run = new Run(policy, groups(least, random), 1 + random.nextInt(40), rows);
      run.finish("seed " + seed);
      preemptions += run.inFlight.preemptions();
      shared += run.shared;
    }
    assertTrue(shared > 0);
    assertEquals(policy == AdmissionPolicy.EXPECTED_LENGTH, preemptions > 0, preemptions + "");
  }

  /** One of them at least can hold the longest row. */
  private static List<KvGroup> groups(int leastBlocks, Random random) {
    List<KvGroup> groups = new ArrayList<>();
    int count = 1 + random.nextInt(3);
    int large = random.nextInt(count);
    for (int i = 0; i < count; i++) {
      int blocks =
          random.nextInt(4) > 0 || i == large
              ? leastBlocks + random.nextInt(1 + random.nextInt(3 * leastBlocks))
              : 1 + random.nextInt(leastBlocks);
      groups.add(new KvGroup(KvGroup.Home.DEVICE, blocks, 1 + random.nextInt(20)));
    }
    return groups;
  }

  @Test
  void shouldHaveMoreInFlightThanReservingWhenRowsEndEarly() {
    List<Row> rows = new ArrayList<>();
    Random random = new Random(1);
    for (int i = 0; i < 400; i++) {
      rows.add(new Row(i, 16, 200, 1 + random.nextInt(40)));
    }
    List<KvGroup> groups = List.of(new KvGroup(KvGroup.Home.DEVICE, 400, 128));
    Run reserving = new Run(AdmissionPolicy.RESERVE_MOST, groups, 128, rows);
    reserving.finish("reserving");
    Run expecting = new Run(AdmissionPolicy.EXPECTED_LENGTH, groups, 128, rows);
    expecting.finish("expecting");
    assertEquals(400 / 54, reserving.mostSequences);
    assertTrue(expecting.passes * 3 < reserving.passes, expecting + " against " + reserving);
    assertTrue(expecting.recomputed * 20 < expecting.computed, expecting.toString());
  }

  @Test
  void shouldReserveNothingBeyondTheMost() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      rows.add(new Row(i, 10, 30, 30));
    }
    List<KvGroup> groups = List.of(new KvGroup(KvGroup.Home.DEVICE, 400, 128));
    Run run = new Run(AdmissionPolicy.EXPECTED_LENGTH, groups, 400, rows);
    run.finish("all fit");
    assertEquals(40, run.mostSequences);
    assertEquals(0, run.inFlight.preemptions());
    assertEquals(30, run.passes);
  }

  @Test
  void shouldGiveAllBack() {
    List<KvGroup> groups = List.of(new KvGroup(KvGroup.Home.DEVICE, 10, 4));
    List<BlockPool> pools = List.of(new BlockPool(10));
    InFlight inFlight =
        new InFlight(
            groups, pools, BLOCK_TOKENS, new ExpectedLength(BLOCK_TOKENS), CacheKeeper.NONE);
    assertTrue(inFlight.readmit());
    assertTrue(inFlight.tryEnter(new Row(0, 7, 20, 3).sequence()));
    assertFalse(inFlight.tryEnter(new Row(1, 7, 34, 3).sequence()), "it needs 11 blocks");
    assertEquals(8, pools.getFirst().freeBlocks());
    inFlight.abandon();
    assertEquals(10, pools.getFirst().freeBlocks());
  }

  /**
   * A row.
   *
   * @param prefix how many blocks of its prompt are those of all others with such a prefix
   */
  private record Row(int number, int prompt, int mostGenerated, int generated, int prefix) {
    Row(int number, int prompt, int mostGenerated, int generated) {
      this(number, prompt, mostGenerated, generated, 0);
    }

    Sequence sequence() {
      TokenIds tokens = TokenIds.of(new int[prompt]);
      int most = prompt + mostGenerated;
      return new Sequence(
          this,
          number,
          tokens,
          most,
          tokens.first(prefix * BLOCK_TOKENS),
          new WantedLogits(1, false));
    }

    int mostBlocks() {
      return Math.ceilDiv(prompt + mostGenerated, BLOCK_TOKENS);
    }
  }

  /** What the engine does with sequences, without computing anything. */
  private static final class Run {
    private final List<KvGroup> groups;
    private final List<BlockPool> pools;
    private final InFlight inFlight;
    private final PassAssembler assembler;
    private final Deque<Row> waiting;
    private final List<Sequence> begun = new ArrayList<>();
    private final int[] generated;
    private final boolean[] finished;
    private int passes;
    private int mostSequences;
    private long computed;
    private long recomputed;
    private long shared;

    Run(AdmissionPolicy policy, List<KvGroup> groups, int microBatchTokens, List<Row> rows) {
      int sequences = groups.stream().mapToInt(KvGroup::sequences).max().orElseThrow();
      Plan plan =
          new Plan(
              DType.F32, Map.of(), groups, 0, Math.max(sequences, microBatchTokens), 0, 0, 0, 0, 1);
      this.groups = groups;
      this.pools = groups.stream().map(group -> new BlockPool(group.blocks())).toList();
      Admission admission =
          policy == AdmissionPolicy.RESERVE_MOST
              ? new ReserveMost(BLOCK_TOKENS)
              : new ExpectedLength(BLOCK_TOKENS);
      this.inFlight = new InFlight(groups, pools, BLOCK_TOKENS, admission, CacheKeeper.NONE);
      this.assembler = new PassAssembler(plan);
      this.waiting = new ArrayDeque<>(rows);
      this.generated = new int[rows.size()];
      this.finished = new boolean[rows.size()];
    }

    void finish(String what) {
      admit();
      while (!inFlight.running().isEmpty()) {
        int oldest = oldestUnfinished();
        Pass pass = assembler.next(inFlight.running());
        check(pass, oldest, what);
        pass.advance();
        passes++;
        mostSequences = Math.max(mostSequences, inFlight.running().size());
        pass.microBatches().forEach(chunks -> chunks.forEach(this::handOut));
        inFlight.makeRoom();
        admit();
      }
      assertTrue(waiting.isEmpty(), what);
      for (int i = 0; i < finished.length; i++) {
        assertTrue(finished[i], what + ", row " + i);
      }
      for (int g = 0; g < groups.size(); g++) {
        assertEquals(groups.get(g).blocks(), pools.get(g).freeBlocks(), what + ", group " + g);
      }
      long tokens = 0;
      for (Sequence sequence : begun) {
        tokens += sequence.length() - 1;
      }
      assertEquals(tokens, computed - recomputed + shared, what);
    }

    private void admit() {
      if (!inFlight.readmit()) {
        return;
      }
      while (!waiting.isEmpty()) {
        Sequence sequence = waiting.getFirst().sequence();
        if (!inFlight.tryEnter(sequence)) {
          return;
        }
        begun.add(sequence);
        waiting.removeFirst();
      }
    }

    private int oldestUnfinished() {
      int oldest = 0;
      while (finished[oldest]) {
        oldest++;
      }
      return oldest;
    }

    private void check(Pass pass, int oldest, String what) {
      List<BitSet> used = new ArrayList<>();
      Map<List<Integer>, Integer> prefixBlocks = new HashMap<>();
      groups.forEach(_ -> used.add(new BitSet()));
      for (Sequence sequence : inFlight.running()) {
        assertTrue(sequence.blocks().missing(sequence.length()) == 0, what);
        for (int i = 0; i < sequence.blocks().blocks(); i++) {
          int block = sequence.blocks().block(i);
          if (i < sequence.prefix().size() / BLOCK_TOKENS) {
            Integer same =
                prefixBlocks.putIfAbsent(
                    List.of(sequence.group(), rowOf(sequence).prefix, i), block);
            if (same != null) {
              assertEquals(same, block, what + ": a prefix in two places");
              continue;
            }
          }
          assertFalse(used.get(sequence.group()).get(block), what + ": a block of two");
          used.get(sequence.group()).set(block);
        }
      }
      for (int g = 0; g < groups.size(); g++) {
        int group = g;
        long members = inFlight.running().stream().filter(s -> s.group() == group).count();
        assertTrue(members <= groups.get(g).sequences(), what);
        assertEquals(
            groups.get(g).blocks(), used.get(g).cardinality() + pools.get(g).freeBlocks(), what);
      }
      for (List<Chunk> chunks : pass.microBatches()) {
        checkCovered(chunks, what);
      }
      boolean oldestRuns =
          inFlight.running().stream().anyMatch(s -> s.number() == oldest && s.cached() >= 0);
      boolean oldestComputes =
          pass.microBatches().stream()
              .flatMap(List::stream)
              .anyMatch(chunk -> chunk.sequence().number() == oldest);
      assertTrue(!oldestRuns || oldestComputes, what + ": the oldest waits");
    }

    /** All tokens before a chunk are in the cache, or written there in the same micro-batch. */
    private void checkCovered(List<Chunk> chunks, String what) {
      BitSet slots = new BitSet();
      for (Chunk chunk : chunks) {
        for (int i = chunk.first(); i < chunk.first() + chunk.count(); i++) {
          int block = chunk.sequence().blocks().block(i / BLOCK_TOKENS);
          int slot = block * BLOCK_TOKENS + i % BLOCK_TOKENS;
          assertFalse(slots.get(slot), what + ": a token computed twice");
          slots.set(slot);
        }
      }
      for (Chunk chunk : chunks) {
        for (int i = chunk.sequence().cached(); i < chunk.first(); i++) {
          int block = chunk.sequence().blocks().block(i / BLOCK_TOKENS);
          assertTrue(slots.get(block * BLOCK_TOKENS + i % BLOCK_TOKENS), what + ": never computed");
        }
      }
    }

    private static Row rowOf(Sequence sequence) {
      return (Row) sequence.owner();
    }

    private void handOut(Chunk chunk) {
      Sequence sequence = chunk.sequence();
      Row row = rowOf(sequence);
      computed += chunk.count();
      recomputed += chunk.recomputedTokens();
      shared += chunk.sharedTokens();
      assertTrue(chunk.logitsRows() <= 1, "one token is generated at a time");
      for (int i = 0; i < chunk.logitsRows(); i++) {
        assertEquals(row.prompt() + generated[row.number()], sequence.length());
        assertEquals(sequence.length(), sequence.cached(), "behind the last token");
        sequence.append(0);
        generated[row.number()]++;
        finished[row.number()] = generated[row.number()] == row.generated();
        inFlight.grew(sequence, finished[row.number()]);
      }
    }

    @Override
    public String toString() {
      return "%d passes, %d in flight, %d tokens computed, %d of them again, %d preemptions"
          .formatted(passes, mostSequences, computed, recomputed, inFlight.preemptions());
    }
  }
}
