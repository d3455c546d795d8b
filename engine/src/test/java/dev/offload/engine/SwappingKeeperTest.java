package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.KvBlocks;
import dev.offload.engine.kvcache.BlockPool;
import dev.offload.engine.kvcache.BlockTable;
import dev.offload.engine.kvcache.FileSwapArea;
import dev.offload.engine.kvcache.HostSwapArea;
import dev.offload.engine.kvcache.KvStore;
import dev.offload.engine.kvcache.SwapArea;
import dev.offload.engine.pass.PassAssembler;
import dev.offload.engine.pass.Sequence;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.sampling.WantedLogits;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where the cache of preempted sequences goes. Each of them has two blocks. */
class SwappingKeeperTest {
  private static final KvGroup GROUP = new KvGroup(KvGroup.Home.DEVICE, 16, 8);

  /** Nanoseconds; however long a copy takes, computing takes longer. */
  private static final long DAY = 86_400_000_000_000L;

  private Device device;
  private KvStore cache;
  private List<SwapArea> areas;
  private int blockTokens;
  private final BlockPool pool = new BlockPool(GROUP.blocks());

  @BeforeEach
  void open() {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    device = backend.open(new DeviceOptions(0, 1 << 24, 1 << 24, 1));
    blockTokens = device.operations().kvBlockTokens();
    KvBlocks.Format format = new KvBlocks.Format(DType.F32, blockTokens, 2, 16, 8);
    cache = new KvStore(device, device, format, List.of(GROUP), 0, 1);
    areas =
        List.of(
            new HostSwapArea(device, cache, 2, 1),
            FileSwapArea.tryOpen(device, cache, Optional.of(Path.of("target")), 4, 1)
                .orElseThrow());
  }

  @AfterEach
  void close() {
    areas.forEach(SwapArea::close);
    cache.close();
    device.close();
  }

  @Test
  void shouldFillTheHostThenTheFileThenNothing() {
    SwappingKeeper keeper = keeper(DAY);
    long each = 2 * cache.blockBytes();
    keeper.leaves(sequence());
    assertCopied(each, 0, keeper);
    keeper.leaves(sequence());
    assertCopied(each, each, keeper);
    keeper.leaves(sequence());
    assertCopied(each, 2 * each, keeper);
    keeper.leaves(sequence());
    assertCopied(each, 2 * each, keeper);
    keeper.abandon();
    areas.forEach(area -> assertEquals(area.places(), area.freePlaces()));
    assertCopied(0, 0, keeper(DAY));
  }

  @Test
  void shouldBringCacheBackFromAFile() {
    SwappingKeeper keeper = keeper(DAY);
    keeper.leaves(sequence());
    assertEquals(2 * blockTokens, cachedAfterPreemption(keeper, () -> {}));
    assertTrue(keeper.copiedBytes(Tier.DISK) > 0);
  }

  @Test
  void shouldComputeAgainWhatAFileLost() {
    SwappingKeeper keeper = keeper(DAY);
    keeper.leaves(sequence());
    // It closes the file.
    assertEquals(0, cachedAfterPreemption(keeper, Thread.currentThread()::interrupt));
    assertTrue(Thread.interrupted());
    assertTrue(keeper.copiedBytes(Tier.DISK) > 0, "it was written");
  }

  @Test
  void shouldNotWriteAFileWhereComputingTakesLessTime() {
    SwappingKeeper keeper = keeper(0);
    keeper.leaves(sequence());
    keeper.leaves(sequence());
    assertCopied(2 * cache.blockBytes(), 0, keeper);
  }

  /** How many tokens come back. */
  private int cachedAfterPreemption(CacheKeeper keeper, Runnable meanwhile) {
    Sequence sequence = sequence();
    keeper.leaves(sequence);
    sequence.leave();
    meanwhile.run();
    enter(sequence);
    keeper.entered(sequence);
    return sequence.cached();
  }

  private static void assertCopied(long host, long disk, CacheKeeper keeper) {
    assertEquals(host, keeper.copiedBytes(Tier.HOST));
    assertEquals(disk, keeper.copiedBytes(Tier.DISK));
  }

  private SwappingKeeper keeper(long nanosPerToken) {
    PassTimes times = new PassTimes();
    times.add(1, nanosPerToken);
    return new SwappingKeeper(areas, times, blockTokens);
  }

  /** One whose tokens are in the cache. */
  private Sequence sequence() {
    int tokens = 2 * blockTokens;
    TokenIds prompt = TokenIds.of(new int[tokens]);
    Sequence sequence = new Sequence(this, 0, prompt, tokens, prompt.first(0), WantedLogits.ALL);
    enter(sequence);
    Plan plan = new Plan(DType.F32, Map.of(), List.of(GROUP), 0, tokens, 0, 0, 0, 0, 1);
    new PassAssembler(plan).next(List.of(sequence)).advance();
    return sequence;
  }

  private void enter(Sequence sequence) {
    BlockTable table = new BlockTable(pool, blockTokens);
    assertTrue(table.ensure(sequence.length()));
    sequence.enter(0, table);
  }
}
