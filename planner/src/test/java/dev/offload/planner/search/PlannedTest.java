package dev.offload.planner.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.Granule;
import dev.offload.planner.Granules;
import dev.offload.planner.KvGroup;
import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.Plan;
import dev.offload.planner.PlanBytes;
import dev.offload.planner.PlanFile;
import dev.offload.planner.TestMachine;
import dev.offload.planner.UnitSize;
import dev.offload.planner.Workload;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Plans of small made-up models: budgets hold to the byte, nothing better exists. */
class PlannedTest {
  private static final List<Home> HOMES = List.of(Home.values());
  private static final HardwareProfile MACHINE = TestMachine.gpu().profile();
  private static final Workload WORKLOAD = Workload.of(30, 20, OptionalLong.empty());

  private static Wishes wishes(long device, long host, Optional<Home> home, int rowTokens) {
    return wishes(device, host, home, rowTokens, 0);
  }

  private static Wishes wishes(
      long device, long host, Optional<Home> home, int rowTokens, int cacheTokens) {
    return new Wishes(
        device,
        host,
        1L << 40,
        OptionalInt.of(8),
        OptionalInt.of(2),
        OptionalInt.of(16),
        rowTokens,
        cacheTokens,
        home);
  }

  private static Whole best(FakeModel model, Wishes wishes) {
    Format format = Format.of(model.planned(), MACHINE, WORKLOAD, wishes);
    return new PlanSearch(format).best().orElseThrow(() -> Refusal.of(format));
  }

  private static Plan plan(FakeModel model, long device, long host) {
    return PlanMaker.plan(best(model, wishes(device, host, Optional.empty(), 1)));
  }

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
  void shouldSolveNothingWhereEverythingFitsTheDevice() {
    FakeModel model = new FakeModel(new Random(1));
    Wishes wishes = wishes(model.weights() + (1 << 20), 1 << 20, Optional.of(Home.DEVICE), 1);
    Whole whole = best(model, wishes);
    assertEquals(whole.rounded().loads().most(), whole.solution().seconds());
    assertEquals(
        1,
        whole.solution().weights().values().stream().mapToDouble(Double::doubleValue).sum(),
        1e-9);
  }

  @Test
  void shouldGiveTheCacheRoomForARowAsLongAsTheContext() {
    FakeModel model = new FakeModel(new Random(1));
    Plan plan = plan(model, model.weights() + (1 << 20), 1 << 20);
    for (KvGroup group : plan.kvGroups()) {
      assertTrue(16 * group.blocks() >= model.contextLength(), group + " for a long row");
    }
  }

  @Test
  void shouldKeepWhatIsWished() {
    Random random = new Random(8);
    int kept = 0;
    for (int round = 0; round < 20; round++) {
      FakeModel model = new FakeModel(random);
      Home home = HOMES.get(random.nextInt(HOMES.size()));
      Plan plan;
      try {
        plan =
            PlanMaker.plan(best(model, wishes(2 * model.weights(), 1 << 20, Optional.of(home), 1)));
      } catch (IllegalArgumentException e) {
        continue;
      }
      kept++;
      assertEquals(2, plan.kvGroups().size());
      assertEquals(8, plan.maxSequences());
      assertEquals(16, plan.microBatchTokens());
      plan.kvGroups().forEach(group -> assertEquals(home, group.home()));
    }
    assertTrue(kept > 10, "only " + kept + " plans were feasible");
  }

  @Test
  void shouldNeverPlanBeyondABudget() {
    Random random = new Random(2);
    int feasible = 0;
    int swapping = 0;
    int onHost = 0;
    int fromDisk = 0;
    int onCores = 0;
    for (int round = 0; round < 120; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2 * model.weights());
      long host = 1 + random.nextLong(2 * model.weights());
      int rowTokens = random.nextBoolean() ? 1 : 50;
      Optional<Home> home =
          random.nextBoolean()
              ? Optional.of(HOMES.get(random.nextInt(HOMES.size())))
              : Optional.empty();
      Plan plan;
      try {
        Wishes wishes = wishes(device, host, home, rowTokens);
        plan = PlanMaker.plan(best(model, wishes));
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().contains("is too small"), e.getMessage());
        continue;
      }
      feasible++;
      onCores += plan.hostExperts().isEmpty() ? 0 : 1;
      swapping += plan.swapBlocks() > 0 ? 1 : 0;
      onHost += plan.kvGroups().getFirst().home() == Home.DEVICE ? 0 : 1;
      fromDisk += plan.stagingBytes() > 0 ? 1 : 0;
      check(model, plan, device, host);
      for (KvGroup group : plan.kvGroups()) {
        assertTrue(16 * group.blocks() >= rowTokens, group + " has no room for a row");
      }
    }
    assertTrue(feasible > 40, "only " + feasible + " plans were feasible");
    assertTrue(swapping > 0, "only " + swapping + " have room for swapped cache blocks");
    assertTrue(onHost > 5, "only " + onHost + " caches on the host");
    assertTrue(fromDisk > 5, "only " + fromDisk + " read from disk");
    assertTrue(onCores > 2, "only " + onCores + " compute experts on the host");
  }

  @Test
  void shouldKeepRoomForARowThatIsLongerThanExpected() {
    Random random = new Random(9);
    int streaming = 0;
    int longer = 0;
    for (int round = 0; round < 120; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2 * model.weights());
      long host = 1 + random.nextLong(2 * model.weights());
      int context = model.contextLength();
      Plan without;
      try {
        without = PlanMaker.plan(best(model, wishes(device, host, Optional.empty(), 1)));
      } catch (IllegalArgumentException e) {
        continue;
      }
      Plan plan = PlanMaker.plan(best(model, wishes(device, host, Optional.empty(), 1, context)));
      check(model, plan, device, host);
      long room = (long) (0.3 * (device - model.deviceBytes(plan)) / model.kvBlockBytes() / 2);
      for (KvGroup group : plan.kvGroups()) {
        boolean whole = 16 * group.blocks() >= context;
        // What reads from disk has next to no host memory, which caches on the host take as well.
        boolean free = plan.ringBytes() > 0 && plan.stagingBytes() == 0;
        assertTrue(whole || !free || group.blocks() >= room, room + " in " + plan);
      }
      streaming += plan.ringBytes() > 0 && plan.stagingBytes() == 0 ? 1 : 0;
      longer +=
          plan.kvGroups().getFirst().blocks() > without.kvGroups().getFirst().blocks() ? 1 : 0;
    }
    assertTrue(streaming > 20, "only " + streaming + " plans stream weights");
    assertTrue(longer > 5, "only " + longer + " plans had less room without");
  }

  private static void check(FakeModel model, Plan plan, long device, long host) {
    List<Granule> granules = Granules.of(plan, model.units());
    long deviceKv = 0;
    long hostKv = 0;
    long slot = 0;
    for (KvGroup group : plan.kvGroups()) {
      long bytes = group.blocks() * model.kvBlockBytes();
      deviceKv += group.home() == Home.DEVICE ? bytes : 0;
      hostKv += group.home() == Home.DEVICE ? 0 : bytes;
      slot = group.home() == Home.HOST_STREAMED ? Math.max(slot, bytes / model.layers()) : slot;
    }
    long resident = bytesOn(granules, Tier.DEVICE);
    long expanded =
        granules.stream()
            .filter(Granule::isExpanded)
            .mapToLong(Granule::imageBytes)
            .max()
            .orElse(0);
    long needed =
        resident
            + plan.ringBytes()
            + expanded
            + deviceKv
            + plan.kvRingSlots() * slot
            + model.deviceBytes(plan);
    long more =
        PlanBytes.of(plan, model).device() - Math.max(needed, resident + model.loadingBytes());
    assertTrue(more >= 0 && more <= 64L * plan.kvRingSlots(), more + " more on the device");
    new PlanFile(Map.of(), plan).requireFits(Path.of("plan.json"), model, device, host);
    assertTrue(needed <= device, "device budget of " + device + " for " + needed + " " + plan);
    assertTrue(resident + model.loadingBytes() <= device, "device budget while loading");
    long tables = plan.placement().get(UnitId.embedding()) == Tier.DISK ? 0 : model.tableBytes();
    long swap = plan.swapBlocks() * model.kvBlockBytes();
    assertTrue(swap <= deviceKv / 8, "a part of the cache on the device");
    long fileSwap = plan.diskSwapBlocks() > 0 ? model.kvBlockBytes() : 0;
    assertTrue(plan.diskSwapBlocks() * model.kvBlockBytes() <= deviceKv + hostKv);
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

  private static long bytesOn(List<Granule> granules, Tier tier) {
    return granules.stream()
        .filter(granule -> granule.home() == tier)
        .mapToLong(Granule::imageBytes)
        .sum();
  }

  @Test
  void shouldRefuseAPlanThatCannotBeOpened() {
    FakeModel model = new FakeModel(new Random(3), 3, 4, 5);
    long device = model.weights() / 2 + 20_000;
    Plan plan = plan(model, device, 1 << 20);
    PlanBytes bytes = PlanBytes.of(plan, model);
    assertRefused(
        plan,
        model,
        bytes.device() - 1,
        1 << 20,
        "the plan takes "
            + ByteSize.formatUp(bytes.device())
            + " of device memory, the budget is "
            + ByteSize.format(bytes.device() - 1)
            + "; give --device-memory ");
    assertRefused(plan, model, device, bytes.host() - 1, " of host memory, the budget is ");
    Map<UnitId, Tier> without = new HashMap<>(plan.placement());
    without.remove(UnitId.expert(1, 2));
    assertRefused(
        with(plan, without, plan.ringBytes()),
        model,
        device,
        1 << 20,
        "placement: leaves out layer.1.expert.2");
    Map<UnitId, Tier> more = new HashMap<>(plan.placement());
    more.put(UnitId.expert(1, 4), Tier.HOST);
    assertRefused(
        with(plan, more, plan.ringBytes()),
        model,
        device,
        1 << 20,
        "placement: has layer.1.expert.4, which the model has not");
    assertRefused(
        with(plan, plan.placement(), 100), model, device, 1 << 20, "ring_bytes is 100, but ");
    Plan vast =
        new Plan(
            plan.computeDType(),
            plan.placement(),
            List.of(new KvGroup(Home.HOST_STREAMED, Integer.MAX_VALUE, 8)),
            Integer.MAX_VALUE,
            16,
            plan.ringBytes(),
            plan.stagingBytes(),
            Integer.MAX_VALUE,
            0,
            plan.granuleBytes());
    assertRefused(vast, model, device, 1 << 20, " of device memory, the budget is ");
  }

  private static void assertRefused(
      Plan plan, FakeModel model, long device, long host, String expected) {
    PlanFile file = new PlanFile(Map.of(), plan);
    String message =
        assertThrows(
                ModelException.class,
                () -> file.requireFits(Path.of("plan.json"), model, device, host))
            .getMessage();
    assertTrue(message.startsWith("plan.json: "), message);
    assertTrue(message.contains(expected), message);
  }

  private static Plan with(Plan of, Map<UnitId, Tier> placement, long ringBytes) {
    return new Plan(
        of.computeDType(),
        placement,
        of.kvGroups(),
        of.kvRingSlots(),
        of.microBatchTokens(),
        ringBytes,
        of.stagingBytes(),
        of.swapBlocks(),
        of.diskSwapBlocks(),
        of.granuleBytes());
  }

  @Test
  void shouldDoNoWorseThanWithTheCacheInAnyOneHome() {
    Random random = new Random(6);
    int better = 0;
    for (int round = 0; round < 15; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2 * model.weights());
      long host = 1 + random.nextLong(4 * model.weights());
      for (Home home : Home.values()) {
        double fixed;
        try {
          fixed = best(model, wishes(device, host, Optional.of(home), 1)).tokensPerSecond();
        } catch (IllegalArgumentException e) {
          continue;
        }
        double free = best(model, wishes(device, host, Optional.empty(), 1)).tokensPerSecond();
        assertTrue(free >= 0.98 * fixed, home + " gives " + fixed + ", not " + free);
        better += free > 1.02 * fixed ? 1 : 0;
      }
    }
    assertTrue(better > 5, "only " + better + " homes were worse");
  }

  @Test
  void shouldAcceptTheSmallestBudgetThatARefusalNames() {
    Random random = new Random(4);
    for (int round = 0; round < 12; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(2000);
      long lacking = lacking(model, device);
      plan(model, device + lacking, 1 << 20);
      long least = device + lacking - Math.max(1, lacking / 100);
      assertThrows(IllegalArgumentException.class, () -> plan(model, least, 1 << 20));
    }
  }

  @Test
  void shouldAcceptTheSequencesAndLengthsThatARefusalNames() {
    Random random = new Random(9);
    Pattern rows = Pattern.compile("rows of up to (\\d+) tokens, the longest has 200");
    Pattern fewer = Pattern.compile("for (\\d+) at a time, .* instead of 4");
    int shorter = 0;
    int several = 0;
    int alone = 0;
    for (int round = 0; round < 80; round++) {
      FakeModel model = new FakeModel(random);
      long device = 1 + random.nextLong(model.weights() / 2 + 30_000);
      Workload workload = Workload.of(150, 50, OptionalLong.empty());
      Wishes wishes =
          wishes(device, random.nextLong(40_000), Optional.of(Home.DEVICE), 200)
              .withMicroBatches(4);
      String refusal = refusal(model, wishes, workload);
      Matcher length = rows.matcher(refusal);
      if (length.find()) {
        int tokens = Integer.parseInt(length.group(1));
        assertEquals(0, tokens % model.kvBlockTokens());
        assertEquals("", refusal(model, wishes.withRowTokens(tokens), workload.cut(tokens)));
        int longer = tokens + 1;
        assertTrue(
            refusal(model, wishes.withRowTokens(longer), workload.cut(longer))
                .contains("is too small"),
            longer + " tokens");
        shorter++;
      }
      Matcher sequences = fewer.matcher(refusal);
      if (sequences.find()) {
        int most = Integer.parseInt(sequences.group(1));
        assertEquals("", refusal(model, wishes.withMicroBatches(most), workload));
        assertTrue(
            refusal(model, wishes.withMicroBatches(most + 1), workload).contains("is too small"));
        several += most > 1 ? 1 : 0;
        alone += most == 1 ? 1 : 0;
      }
    }
    assertTrue(shorter > 5, "only " + shorter + " refusals name a length");
    assertTrue(several > 1 && alone > 1, several + " and " + alone + " name sequences");
  }

  /** Why there is no plan; empty if there is one. */
  private static String refusal(FakeModel model, Wishes wishes, Workload workload) {
    Format format = Format.of(model.planned(), MACHINE, workload, wishes);
    return new PlanSearch(format).best().isPresent() ? "" : Refusal.of(format).getMessage();
  }

  @Test
  void shouldNeedNoMoreRoomForALargeVocabulary() {
    FakeModel small = new FakeModel(new Random(5), 1);
    FakeModel large = new FakeModel(new Random(5), 50);
    assertTrue(large.weights() > 2 * small.weights());
    assertTrue(Math.abs(lacking(small, 10) - lacking(large, 10)) <= 64);
  }

  private static long lacking(FakeModel model, long device) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> plan(model, device, 1 << 20))
            .getMessage();
    assertTrue(message.startsWith("device memory of " + ByteSize.format(device)), message);
    Matcher lacking = Pattern.compile("too small, (.+) more is needed").matcher(message);
    assertTrue(lacking.find(), message);
    return ByteSize.parse(lacking.group(1));
  }
}
