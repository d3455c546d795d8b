package dev.offload.engine;

import dev.offload.engine.execute.Executor;
import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.kvcache.KvStore;
import dev.offload.engine.pass.Chunk;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.pass.PassAssembler;
import dev.offload.engine.pass.Sequence;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.planner.PassShape;
import dev.offload.planner.Plan;
import dev.offload.planner.ScheduleBuilder;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs passes over sequences: admits them to the cache, computes, hands out logits. */
final class PassRunner {
  private final Plan plan;
  private final TaskRunner tasks;
  private final Executor executor;
  private final ScheduleBuilder schedules;
  private final PassAssembler assembler;
  private final int blockTokens;
  private final long blockBytes;
  private final List<BlockPool> pools = new ArrayList<>();
  private final int[] sequencesInGroup;

  PassRunner(
      Plan plan,
      TaskRunner tasks,
      Executor executor,
      ScheduleBuilder schedules,
      KvStore cache,
      int blockTokens) {
    this.plan = plan;
    this.tasks = tasks;
    this.executor = executor;
    this.schedules = schedules;
    this.assembler = new PassAssembler(plan);
    this.blockTokens = blockTokens;
    this.blockBytes = cache.blockBytes();
    for (KvGroup group : plan.kvGroups()) {
      pools.add(new BlockPool(group.blocks()));
    }
    sequencesInGroup = new int[pools.size()];
  }

  /** Most tokens for which a KV group has room. */
  int maxSequenceTokens() {
    int blocks = pools.stream().mapToInt(BlockPool::blocks).max().orElse(0);
    return (int) Math.min(Integer.MAX_VALUE, (long) blocks * blockTokens);
  }

  /**
   * Finds room in the cache for a sequence of at most that many tokens.
   *
   * @param owner what the caller knows the sequence by
   */
  Optional<Sequence> tryAdmit(Object owner, TokenIds prompt, int mostTokens) {
    int blocks = (mostTokens + blockTokens - 1) / blockTokens;
    int best = -1;
    for (int g = 0; g < pools.size(); g++) {
      boolean hasRoom =
          sequencesInGroup[g] < plan.kvGroups().get(g).sequences()
              && pools.get(g).freeBlocks() >= blocks;
      if (hasRoom && (best < 0 || sequencesInGroup[g] < sequencesInGroup[best])) {
        best = g;
      }
    }
    if (best < 0) {
      return Optional.empty();
    }
    BlockTable table = new BlockTable(pools.get(best), blockTokens);
    if (!table.ensure(mostTokens)) {
      return Optional.empty();
    }
    sequencesInGroup[best]++;
    return Optional.of(new Sequence(owner, prompt, best, table));
  }

  /** Gives the cache blocks of a sequence back. */
  void retire(Sequence sequence) {
    sequence.blocks().release();
    sequencesInGroup[sequence.group()]--;
  }

  /** Computes the next pass over all sequences in flight, oldest first. */
  Pass run(List<Sequence> running) {
    Pass pass = assembler.next(running);
    tasks.prepare(pass);
    executor.run(schedules.next(shape(pass)));
    pass.advance();
    return pass;
  }

  private PassShape shape(Pass pass) {
    List<PassShape.MicroBatch> microBatches = new ArrayList<>();
    for (List<Chunk> chunks : pass.microBatches()) {
      int tokens = 0;
      long blocks = 0;
      for (Chunk chunk : chunks) {
        tokens += chunk.count();
        blocks += (chunk.first() + chunk.count() + blockTokens - 1) / blockTokens;
      }
      microBatches.add(new PassShape.MicroBatch(tokens, blocks * blockBytes));
    }
    return new PassShape(microBatches, pass.logitsRows());
  }

  /** Logits of a row of the last pass; valid until the next one. */
  MemorySegment logits(int row) {
    return tasks.head().logits(row);
  }

  Map<Lane, Long> busyNanos() {
    return executor.busyNanos();
  }

  long bytesRead() {
    return tasks.bytesRead();
  }
}
