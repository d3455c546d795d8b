package dev.offload.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class BudgetPlannerTest {

  @Test
  void shouldKeepEverythingOnADeviceThatIsLargeEnough() {
    FakeModel model = new FakeModel(new Random(1));
    Plan plan = plan(model, model.weights() + (1 << 20), 1 << 20);
    for (UnitSize unit : model.units()) {
      if (unit.imageBytes() > 0) {
        assertEquals(Tier.DEVICE, plan.placement().get(unit.id()));
      }
    }
    assertEquals(0, plan.ringBytes());
  }

  @Test
  void shouldNeverPlanBeyondABudget() {
    Random random = new Random(2);
    int feasible = 0;
    int swapping = 0;
    int onlyDisk = 0;
    for (int round = 0; round < 2000; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2 * model.weights());
      long host = 1 + random.nextLong(2 * model.weights());
      Plan plan;
      try {
        plan = plan(model, device, host);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().contains("is too small"), e.getMessage());
        continue;
      }
      feasible++;
      swapping += plan.swapBlocks() > 0 ? 1 : 0;
      onlyDisk += plan.swapBlocks() == 0 && plan.diskSwapBlocks() > 0 ? 1 : 0;
      check(model, plan, device, host);
    }
    assertTrue(feasible > 200, "only " + feasible + " plans were feasible");
    assertTrue(swapping > 20, "only " + swapping + " have room for swapped cache blocks");
    assertTrue(onlyDisk > 4, "only " + onlyDisk + " have room for them on disk alone");
  }

  private static void check(FakeModel model, Plan plan, long device, long host) {
    List<Granule> granules = Granules.of(plan, model.units());
    long kv = plan.kvGroups().stream().mapToLong(KvGroup::blocks).sum() * model.kvBlockBytes();
    boolean onHost = plan.kvGroups().getFirst().home() == KvGroup.Home.HOST_ATTENDED;
    long deviceKv = onHost ? 0 : kv;
    long hostKv = onHost ? kv : 0;
    long resident = bytesOn(granules, Tier.DEVICE);
    long expanded =
        granules.stream()
            .filter(Granule::isExpanded)
            .mapToLong(Granule::imageBytes)
            .max()
            .orElse(0);
    assertTrue(
        resident + plan.ringBytes() + expanded + deviceKv + model.deviceBytes(plan) <= device,
        "device budget");
    assertTrue(resident + model.loadingBytes() <= device, "device budget while loading");
    long tables = plan.placement().get(UnitId.embedding()) == Tier.DISK ? 0 : model.tableBytes();
    long swap = plan.swapBlocks() * model.kvBlockBytes();
    assertTrue(swap <= deviceKv / 8, "a part of the cache on the device");
    long fileSwap = plan.diskSwapBlocks() > 0 ? model.kvBlockBytes() : 0;
    assertTrue(plan.diskSwapBlocks() * model.kvBlockBytes() <= kv, "at most the cache");
    assertTrue(
        bytesOn(granules, Tier.HOST)
                + hostKv
                + plan.stagingBytes()
                + tables
                + swap
                + fileSwap
                + model.hostBytes(plan)
            <= host,
        "host budget");
    for (Granule granule : granules) {
      assertTrue(
          !granule.isStreamed() || granule.storedBytes() <= plan.ringBytes(), "fits the ring");
      assertTrue(
          granule.home() != Tier.DISK || granule.storedBytes() <= plan.stagingBytes(),
          "fits the staging");
    }
  }

  @Test
  void shouldKeepTheCacheOnTheHostWhereItHoldsMoreAndPushesNothingToDisk() {
    Random random = new Random(6);
    int onHost = 0;
    for (int round = 0; round < 300; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(model.weights());
      long host = 1 + random.nextLong(4 * model.weights());
      Plan onDevice;
      try {
        onDevice =
            BudgetPlanner.plan(model, wishes(device, host, Optional.of(KvGroup.Home.DEVICE)));
      } catch (IllegalArgumentException e) {
        continue;
      }
      Plan plan = BudgetPlanner.plan(model, wishes(device, host, Optional.empty()));
      check(model, plan, device, host);
      assertTrue(blocks(plan) >= blocks(onDevice));
      assertTrue(unitsOnDisk(plan) <= unitsOnDisk(onDevice));
      onHost += plan.kvGroups().getFirst().home() == KvGroup.Home.DEVICE ? 0 : 1;
    }
    assertTrue(onHost > 20, "only " + onHost + " caches on the host");
  }

  private static long blocks(Plan plan) {
    return plan.kvGroups().stream().mapToLong(KvGroup::blocks).sum();
  }

  private static long unitsOnDisk(Plan plan) {
    return plan.placement().values().stream().filter(tier -> tier == Tier.DISK).count();
  }

  private static BudgetPlanner.Wishes wishes(
      long device, long host, Optional<KvGroup.Home> kvHome) {
    return new BudgetPlanner.Wishes(DType.BF16, device, host, 8, 2, 16, 8 * 50, 50, kvHome);
  }

  @Test
  void shouldSayHowMuchIsMissing() {
    FakeModel model = new FakeModel(new Random(3));
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> plan(model, 10, 1 << 20));
    assertTrue(refusal.getMessage().startsWith("device memory of 10 B is too small"));
  }

  @Test
  void shouldKeepRoomForALongRowOrRefuse() {
    Random random = new Random(4);
    int rooms = 0;
    for (int round = 0; round < 500; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2 * model.weights());
      long host = 1 + random.nextLong(2 * model.weights());
      BudgetPlanner.Wishes wishes = wishes(device, host, Optional.empty());
      Plan plan;
      try {
        plan = BudgetPlanner.plan(model, wishes);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().contains("is too small"), e.getMessage());
        continue;
      }
      rooms++;
      check(model, plan, device, host);
      for (KvGroup group : plan.kvGroups()) {
        assertTrue(group.blocks() >= 4, "50 tokens are 4 blocks of 16, not " + group.blocks());
      }
    }
    assertTrue(rooms > 50, "only " + rooms + " plans were feasible");
  }

  @Test
  void shouldAcceptTheSmallestBudgetThatARefusalNames() {
    Random random = new Random(4);
    for (int round = 0; round < 200; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(4000);
      long lacking = lacking(model, device);
      plan(model, device + lacking, 1 << 20);
      long least = device + lacking - Math.max(1, lacking / 100);
      assertThrows(IllegalArgumentException.class, () -> plan(model, least, 1 << 20));
    }
  }

  private static long lacking(FakeModel model, long device) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> plan(model, device, 1 << 20))
            .getMessage();
    Matcher lacking = Pattern.compile("too small, (.+) more is needed").matcher(message);
    assertTrue(lacking.find(), message);
    return ByteSize.parse(lacking.group(1));
  }

  @Test
  void shouldNeedNoMoreRoomForALargeVocabulary() {
    FakeModel small = new FakeModel(new Random(5), 1);
    FakeModel large = new FakeModel(new Random(5), 50);
    assertTrue(large.weights() > 2 * small.weights());
    assertTrue(Math.abs(lacking(small, 10) - lacking(large, 10)) <= 64);
  }

  private static Plan plan(FakeModel model, long device, long host) {
    return BudgetPlanner.plan(
        model,
        new BudgetPlanner.Wishes(DType.BF16, device, host, 8, 1, 16, 8 * 64, 1, Optional.empty()));
  }

  private static long bytesOn(List<Granule> granules, Tier tier) {
    return granules.stream()
        .filter(granule -> granule.home() == tier)
        .mapToLong(Granule::imageBytes)
        .sum();
  }

  private static final class FakeModel implements ModelSizes {
    private final List<UnitSize> units = new ArrayList<>();

    FakeModel(Random random) {
      this(random, 1 + random.nextInt(20));
    }

    FakeModel(Random random, int outputSlices) {
      units.add(new UnitSize(UnitId.embedding(), 0, 0, false));
      int layers = 1 + random.nextInt(6);
      int experts = random.nextInt(8);
      for (int layer = 0; layer < layers; layer++) {
        add(UnitId.of(UnitId.Kind.ATTENTION, layer), 100 + random.nextInt(100), random);
        if (experts == 0) {
          add(UnitId.of(UnitId.Kind.MLP, layer), 300, random);
          continue;
        }
        add(UnitId.of(UnitId.Kind.ROUTER, layer), 10, random);
        for (int expert = 0; expert < experts; expert++) {
          add(UnitId.expert(layer, expert), 50, random);
        }
      }
      add(UnitId.head(), random.nextInt(2), random);
      for (int slice = 0; slice < outputSlices; slice++) {
        add(UnitId.output(64 * slice), 100, random);
      }
    }

    private void add(UnitId id, int size, Random random) {
      long padding = size == 0 ? 0 : random.nextInt(3);
      units.add(new UnitSize(id, 64L * size, 64L * (size + padding), true));
    }

    long weights() {
      return units.stream().mapToLong(UnitSize::imageBytes).sum();
    }

    @Override
    public DType computeDType() {
      return DType.BF16;
    }

    @Override
    public List<UnitSize> units() {
      return units;
    }

    @Override
    public long tableBytes() {
      return 5000;
    }

    @Override
    public long kvBlockBytes() {
      return 640;
    }

    @Override
    public int kvBlockTokens() {
      return 16;
    }

    @Override
    public int contextLength() {
      return 64;
    }

    @Override
    public long deviceBytes(Plan plan) {
      return 100L * plan.passTokens() + 10L * plan.maxSequences();
    }

    @Override
    public long loadingBytes() {
      return 2 * units.stream().mapToLong(UnitSize::imageBytes).max().orElse(0);
    }

    @Override
    public long hostBytes(Plan plan) {
      return 50L * plan.passTokens();
    }
  }
}
