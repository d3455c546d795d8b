package dev.offload.planner.search;

import dev.offload.planner.KvGroup;
import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns designs into plans and says what room they leave, by the engine's exact sizes. */
final class MemoryMap {
  /** Part of the device that the cache of a row longer than expected may keep weights from. */
  private static final double LONG_ROW_SHARE_OF_DEVICE = 0.3;

  /** Part of the host that it may take there. */
  private static final double LONG_ROW_SHARE_OF_HOST = 0.8;

  /** Cache runs of a layer begin with a cache line. */
  private static final long ALIGNMENT = 64;

  private final PlannedModel model;
  private final ModelSizes sizes;
  private final Wishes wishes;
  private final Map<Filled, Rooms> rooms = new HashMap<>();

  /** What a room depends on; a search asks several times for each. */
  private record Filled(Design design, KvSplit split, long groupBlocks) {}

  MemoryMap(PlannedModel model, Wishes wishes) {
    this.model = model;
    this.sizes = model.sizes();
    this.wishes = wishes;
  }

  /** Cache blocks for so many tokens. */
  long blocks(long tokens) {
    return (tokens + sizes.kvBlockTokens() - 1) / sizes.kvBlockTokens();
  }

  /** A plan that places no weights yet. */
  Plan skeleton(Design design, KvSplit split, long groupBlocks) {
    Map<UnitId, Tier> experts = hostExperts(design);
    return plan(design, split, groupBlocks, experts, 0, 0).withHostExperts(experts.keySet());
  }

  /** As many experts of each kind as a token may choose: what they work with takes no more. */
  private Map<UnitId, Tier> hostExperts(Design design) {
    Map<UnitId, Tier> experts = new HashMap<>();
    for (UnitClass each : model.classes()) {
      if (each.experts() > 0 && design.hasHostExperts()) {
        int layer = each.units().getFirst().layer();
        each.units().stream()
            .filter(unit -> unit.layer() == layer)
            .limit(Math.min(each.perToken(), design.mostHostExperts()))
            .forEach(unit -> experts.put(unit, Tier.HOST));
      }
    }
    return experts;
  }

  Plan plan(
      Design design,
      KvSplit split,
      long groupBlocks,
      Map<UnitId, Tier> placement,
      int swapBlocks,
      int diskSwapBlocks) {
    List<KvGroup> groups = new ArrayList<>();
    int sequences = Math.max(1, design.mostSequences() / design.groups());
    int blocks = (int) Math.min(Integer.MAX_VALUE, Math.max(1, groupBlocks));
    for (int i = 0; i < design.groups(); i++) {
      groups.add(new KvGroup(split.home(i), blocks, sequences));
    }
    boolean expands =
        design.disk()
            && model.classes().stream()
                .anyMatch(c -> c.size().packed() && c.pieceBytes() <= design.piece());
    long granule =
        design.streams()
            ? Math.min(PassLoads.GRANULE_BYTES, design.piece())
            : PassLoads.GRANULE_BYTES;
    return new Plan(
        sizes.computeDType(),
        placement,
        groups,
        split.slots(),
        Math.max(design.microBatchTokens(), sequences),
        design.ringBytes() - (expands ? design.piece() : 0),
        design.stagingBytes(),
        swapBlocks,
        diskSwapBlocks,
        granule);
  }

  Rooms rooms(Design design, KvSplit split, long groupBlocks) {
    return rooms.computeIfAbsent(
        new Filled(design, split, groupBlocks), _ -> findRooms(design, split, groupBlocks));
  }

  private Rooms findRooms(Design design, KvSplit split, long groupBlocks) {
    Plan plan = skeleton(design, split, groupBlocks);
    long groupBytes = saturated(groupBlocks, sizes.kvBlockBytes());
    long slots = plan.kvRingSlots() * (groupBytes / model.layers() + ALIGNMENT);
    long device =
        wishes.deviceBytes()
            - sizes.deviceBytes(plan)
            - design.ringBytes()
            - split.device() * groupBytes
            - slots;
    long host =
        wishes.hostBytes()
            - sizes.hostBytes(plan)
            - design.stagingBytes()
            - (split.streamed() + split.attended()) * groupBytes;
    boolean tables = sizes.tableBytes() <= host;
    return new Rooms(
        device,
        wishes.deviceBytes() - sizes.loadingBytes(),
        tables ? host - sizes.tableBytes() : host,
        wishes.diskBytes(),
        tables);
  }

  /**
   * Blocks that each group may have for a row that is longer than expected: what a part of the
   * device holds, or the host beside the weights that must live there, whichever is more.
   */
  long blocksForLongRow(Design design) {
    Rooms device = rooms(design, KvSplit.all(Home.DEVICE, design.groups()), 0);
    Rooms host = rooms(design, KvSplit.all(Home.HOST_ATTENDED, design.groups()), 0);
    double onDevice = LONG_ROW_SHARE_OF_DEVICE * (device.device() + design.ringBytes());
    double onHost = LONG_ROW_SHARE_OF_HOST * host.host();
    double besideWeights = host.host() - (model.weightBytes() - (double) host.resident());
    double bytes =
        wishes
            .kvHome()
            .map(home -> home == Home.DEVICE ? onDevice : onHost)
            .orElse(Math.max(onDevice, Math.min(onHost, besideWeights)));
    return (long) Math.max(0, bytes / sizes.kvBlockBytes() / design.groups());
  }

  private static long saturated(long blocks, long bytes) {
    return Math.min(1L << 60, Math.multiplyHigh(blocks, bytes) != 0 ? 1L << 60 : blocks * bytes);
  }
}
