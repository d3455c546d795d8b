package dev.offload.planner;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a plan from budgets alone: everything on the device if it fits; otherwise cache and ring
 * first, then as many weights as fit, those left out spread evenly over the layers so that they
 * arrive evenly; what does not fit the host either is read from disk.
 */
public final class BudgetPlanner {
  /**
   * A ring that holds this many of the largest granule lets one arrive while another is used. If
   * granules are expanded, the place they are expanded to counts as one: what is in use is there,
   * and the ring only holds what arrives.
   */
  private static final int RING_PIECES = 3;

  /** Copies of at least a mebibyte run at full speed; larger ones only lengthen the ring. */
  private static final long GRANULE_BYTES = 4L << 20;

  /** Share of the device that the cache may take when the weights do not all fit. */
  private static final double KV_SHARE = 0.3;

  /**
   * What sequences lose when they are preempted is little beside the cache, so room for a part of
   * it is enough; and of what is left of the host only so much, for others have use for it too.
   */
  private static final double SWAP_SHARE = 1.0 / 8;

  private static final double SWAP_SHARE_OF_REST = 0.5;

  /**
   * Budgets and wishes.
   *
   * @param computeDType format of the matrices
   * @param deviceBytes budget of device memory
   * @param hostBytes budget of pinned host memory
   * @param sequences most sequences at a time
   * @param microBatches number of KV groups
   * @param microBatchTokens most tokens of a micro-batch in a pass
   * @param kvTokens cache slots wanted, all sequences together
   * @param rowTokens cache slots of the longest row, for which there must be room
   * @param kvHome where the cache lives; if nothing is wished, on the device, or with weights
   *     streamed where it holds more
   */
  public record Wishes(
      DType computeDType,
      long deviceBytes,
      long hostBytes,
      int sequences,
      int microBatches,
      int microBatchTokens,
      long kvTokens,
      int rowTokens,
      Optional<KvGroup.Home> kvHome) {
    public Wishes {
      if (sequences < microBatches
          || microBatches < 1
          || microBatchTokens < 1
          || kvTokens < 1
          || rowTokens < 1) {
        throw new IllegalArgumentException(
            "%d sequences in %d micro-batches of %d tokens with %d cache slots, %d of them for one row, cannot be planned"
                .formatted(sequences, microBatches, microBatchTokens, kvTokens, rowTokens));
      }
    }
  }

  private final ModelSizes model;
  private final Wishes wishes;
  private final KvGroup.Home kvHome;
  private final long weightBytes;

  private BudgetPlanner(ModelSizes model, Wishes wishes, KvGroup.Home kvHome) {
    this.model = model;
    this.wishes = wishes;
    this.kvHome = kvHome;
    this.weightBytes = model.units().stream().mapToLong(UnitSize::imageBytes).sum();
  }

  /**
   * Makes a plan.
   *
   * @throws IllegalArgumentException if the budgets do not suffice; says by how many bytes
   */
  public static Plan plan(ModelSizes model, Wishes wishes) {
    KvGroup.Home home = wishes.kvHome().orElse(KvGroup.Home.DEVICE);
    Plan plan = new BudgetPlanner(model, wishes, home).plan();
    return wishes.kvHome().isPresent() || plan.ringBytes() == 0
        ? plan
        : withMoreCache(model, wishes, plan);
  }

  /**
   * Weights that are streamed cross once per pass for all sequences in flight, so what counts is
   * how many the cache holds; the host may have room for more of it.
   */
  private static Plan withMoreCache(ModelSizes model, Wishes wishes, Plan plan) {
    try {
      Plan onHost = new BudgetPlanner(model, wishes, KvGroup.Home.HOST_ATTENDED).plan();
      boolean better =
          cacheBlocks(onHost) > cacheBlocks(plan) && unitsOnDisk(onHost) <= unitsOnDisk(plan);
      return better ? onHost : plan;
    } catch (IllegalArgumentException e) { // no room on the host
      return plan;
    }
  }

  private static long unitsOnDisk(Plan plan) {
    return plan.placement().values().stream().filter(tier -> tier == Tier.DISK).count();
  }

  private static long cacheBlocks(Plan plan) {
    return plan.kvGroups().stream().mapToLong(KvGroup::blocks).sum();
  }

  private Plan plan() {
    int sequences = wishes.sequences();
    int tokens = wishes.microBatchTokens();
    while (sequences > wishes.microBatches() || tokens > 1) {
      try {
        return plan(sequences, tokens, false);
      } catch (IllegalArgumentException e) {
        sequences = Math.max(wishes.microBatches(), sequences / 2);
        tokens = Math.max(1, tokens / 2);
      }
    }
    try {
      return plan(sequences, tokens, false);
    } catch (IllegalArgumentException e) {
      return plan(sequences, tokens, true);
    }
  }

  /**
   * Makes a plan for so many sequences and tokens of a micro-batch.
   *
   * @param leastCache whether the cache gets no more than it must have
   */
  private Plan plan(int sequences, int tokens, boolean leastCache) {
    boolean kvOnDevice = kvHome == KvGroup.Home.DEVICE;
    int groups = wishes.microBatches();
    long kvLeast = groups * blocks(wishes.rowTokens());
    // However few sequences there are, one of them may be as long as the context.
    long longest = groups * blocks(Math.min(model.contextLength(), wishes.kvTokens()));
    long shared = blocks(wishes.kvTokens() * sequences / wishes.sequences());
    long kvWanted =
        leastCache ? kvLeast : Math.max(Math.max(kvLeast, longest), Math.max(sequences, shared));

    Plan empty = assemble(sequences, tokens, Map.of(), kvLeast, 0, 0, Swap.NONE, 0);
    long device = wishes.deviceBytes() - model.deviceBytes(empty);
    long host = wishes.hostBytes() - model.hostBytes(empty);
    if (!kvOnDevice) {
      long kvBlocks =
          Math.min(kvWanted, Math.max(kvLeast, (long) (host * 0.8) / model.kvBlockBytes()));
      host -= kvBlocks * model.kvBlockBytes();
      long slots = 2 * kvBlocks * model.kvBlockBytes() / wishes.microBatches();
      device -= kvHome == KvGroup.Home.HOST_STREAMED ? slots : 0;
      return place(sequences, tokens, device, host, kvBlocks);
    }
    long kvRoom = device - weightBytes;
    if (kvRoom >= Math.max(kvLeast, Math.min(kvWanted, 4L * groups)) * model.kvBlockBytes()) {
      long kvBlocks = Math.min(kvWanted, kvRoom / model.kvBlockBytes());
      return place(sequences, tokens, device - kvBlocks * model.kvBlockBytes(), host, kvBlocks);
    }
    long kvBlocks =
        Math.min(kvWanted, Math.max(kvLeast, (long) (device * KV_SHARE) / model.kvBlockBytes()));
    return place(sequences, tokens, device - kvBlocks * model.kvBlockBytes(), host, kvBlocks);
  }

  /** Cache blocks for so many tokens. */
  private long blocks(long tokens) {
    return (tokens + model.kvBlockTokens() - 1) / model.kvBlockTokens();
  }

  private Plan place(int sequences, int tokens, long device, long host, long kvBlocks) {
    if (host < 0) {
      throw new IllegalArgumentException(
          "host memory of %s is too small, %s more is needed at least: for what passes between host and device"
              .formatted(ByteSize.format(wishes.hostBytes()), ByteSize.formatUp(-host)));
    }
    boolean tablesOnHost = model.tableBytes() <= host;
    long hostForWeights = tablesOnHost ? host - model.tableBytes() : host;
    Tier tables = tablesOnHost ? Tier.HOST : Tier.DISK;
    if (weightBytes <= device && weightBytes <= roomWhileLoading()) {
      Map<UnitId, Tier> placement = new HashMap<>();
      moved().forEach(unit -> placement.put(unit.id(), Tier.DEVICE));
      placement.putIfAbsent(UnitId.embedding(), tables);
      Swap swap = swap(sequences, kvBlocks, hostForWeights);
      return assemble(sequences, tokens, placement, kvBlocks, 0, 0, swap, GRANULE_BYTES);
    }
    Streaming best = null;
    for (long piece : moved().stream().mapToLong(this::pieceBytes).distinct().toArray()) {
      for (boolean disk : new boolean[] {false, true}) {
        Streaming candidate = stream(piece, disk, device, hostForWeights);
        if (candidate.isBetterThan(best)) {
          best = candidate;
        }
      }
    }
    best.requireFeasible(wishes);
    best.placement().putIfAbsent(UnitId.embedding(), tables);
    return assemble(
        sequences,
        tokens,
        best.placement(),
        kvBlocks,
        best.ring(),
        best.staging(),
        swap(sequences, kvBlocks, hostForWeights - best.hostBytes()),
        Math.min(GRANULE_BYTES, best.piece()));
  }

  /** For how many blocks of preempted sequences there may be room. */
  private record Swap(int hostBlocks, int diskBlocks) {
    static final Swap NONE = new Swap(0, 0);
  }

  /**
   * None where nobody can ever be preempted, and in host memory none where the cache itself is
   * there. A file may take the whole cache, but needs host memory for a block that passes through,
   * for which the others leave enough.
   */
  private Swap swap(int sequences, long kvBlocks, long hostRest) {
    double restBlocks = (double) hostRest / model.kvBlockBytes();
    if (kvBlocks >= sequences * blocks(model.contextLength()) || restBlocks < 1) {
      return Swap.NONE;
    }
    double host =
        kvHome == KvGroup.Home.DEVICE
            ? Math.min(SWAP_SHARE * kvBlocks, SWAP_SHARE_OF_REST * restBlocks)
            : 0;
    long cached = kvBlocks / wishes.microBatches() * wishes.microBatches();
    return new Swap((int) host, (int) Math.min(Integer.MAX_VALUE, cached));
  }

  /** Units of which something has to be on the device. */
  private List<UnitSize> moved() {
    return model.units().stream().filter(unit -> unit.imageBytes() > 0).toList();
  }

  private long roomWhileLoading() {
    return wishes.deviceBytes() - model.loadingBytes();
  }

  private long pieceBytes(UnitSize unit) {
    return Math.max(unit.imageBytes(), unit.rowMajorBytes());
  }

  /**
   * One way to stream: what is larger than a piece stays on the device, the ring holds some pieces.
   *
   * @param lacking bytes that are missing for it, 0 if it works
   * @param hostBytes bytes of units that live on the host, and of staging
   * @param diskBytes bytes read from disk in every pass
   */
  private record Streaming(
      Map<UnitId, Tier> placement,
      long piece,
      long ring,
      long staging,
      long residentBytes,
      long hostBytes,
      long diskBytes,
      Tier lackingOn,
      long lacking) {

    boolean isBetterThan(Streaming other) {
      if (other == null || lacking != other.lacking) {
        return other == null || lacking < other.lacking;
      }
      return diskBytes != other.diskBytes
          ? diskBytes < other.diskBytes
          : residentBytes > other.residentBytes;
    }

    void requireFeasible(Wishes wishes) {
      if (lacking > 0) {
        boolean device = lackingOn == Tier.DEVICE;
        throw new IllegalArgumentException(
            "%s memory of %s is too small, %s more is needed at least: %s"
                .formatted(
                    device ? "device" : "host",
                    ByteSize.format(device ? wishes.deviceBytes() : wishes.hostBytes()),
                    ByteSize.formatUp(lacking),
                    device
                        ? "for a ring through which weights pass and what the engine needs besides"
                        : "for staging weights from disk and what the engine needs besides"));
      }
    }
  }

  private Streaming stream(long piece, boolean disk, long device, long host) {
    Map<UnitId, Tier> placement = new HashMap<>();
    List<UnitSize> small = new ArrayList<>();
    long resident = 0;
    for (UnitSize unit : moved()) {
      if (pieceBytes(unit) > piece) {
        placement.put(unit.id(), Tier.DEVICE);
        resident += unit.imageBytes();
      } else {
        small.add(unit);
      }
    }
    boolean expands = disk && small.stream().anyMatch(UnitSize::packed);
    long ring = (expands ? RING_PIECES - 1 : RING_PIECES) * piece;
    long room = Math.min(device - RING_PIECES * piece, roomWhileLoading()) - resident;
    if (room < 0) {
      return new Streaming(placement, piece, ring, 0, 0, 0, 0, Tier.DEVICE, -room);
    }
    List<UnitSize> away = spread(small, room, Tier.DEVICE, placement);
    long awayBytes = away.stream().mapToLong(UnitSize::imageBytes).sum();
    resident = weightBytes - awayBytes;
    if (!disk) {
      away.forEach(unit -> placement.put(unit.id(), Tier.HOST));
      return new Streaming(
          placement,
          piece,
          ring,
          0,
          resident,
          awayBytes,
          0,
          Tier.HOST,
          Math.max(0, awayBytes - host));
    }
    long staging = RING_PIECES * piece;
    if (host < staging) {
      return new Streaming(placement, piece, ring, staging, 0, 0, 0, Tier.HOST, staging - host);
    }
    List<UnitSize> onDisk = spread(away, host - staging, Tier.HOST, placement);
    onDisk.forEach(unit -> placement.put(unit.id(), Tier.DISK));
    long diskBytes = onDisk.stream().mapToLong(UnitSize::rowMajorBytes).sum();
    long onHost = awayBytes - onDisk.stream().mapToLong(UnitSize::imageBytes).sum();
    return new Streaming(
        placement, piece, ring, staging, resident, staging + onHost, diskBytes, Tier.DISK, 0);
  }

  /**
   * Places units of about the given size on a tier, evenly spread, never more.
   *
   * @return the others
   */
  private static List<UnitSize> spread(
      List<UnitSize> units, long room, Tier tier, Map<UnitId, Tier> placement) {
    long total = units.stream().mapToLong(UnitSize::imageBytes).sum();
    double share = total == 0 ? 1 : Math.min(1, (double) room / total);
    List<UnitSize> others = new ArrayList<>();
    double credit = 0;
    long left = room;
    for (UnitSize unit : units) {
      if (unit.imageBytes() == 0) {
        continue;
      }
      credit += unit.imageBytes() * share;
      boolean small =
          unit.id().kind() == UnitId.Kind.ROUTER || unit.id().kind() == UnitId.Kind.HEAD;
      if (unit.imageBytes() <= left && (small || credit >= unit.imageBytes())) {
        placement.put(unit.id(), tier);
        credit -= unit.imageBytes();
        left -= unit.imageBytes();
      } else {
        others.add(unit);
      }
    }
    return others;
  }

  private Plan assemble(
      int sequences,
      int tokens,
      Map<UnitId, Tier> placement,
      long kvBlocks,
      long ring,
      long staging,
      Swap swap,
      long granuleBytes) {
    int groups = wishes.microBatches();
    List<KvGroup> kvGroups = new ArrayList<>();
    for (int i = 0; i < groups; i++) {
      kvGroups.add(
          new KvGroup(
              kvHome,
              (int) Math.min(Integer.MAX_VALUE, Math.max(1, kvBlocks / groups)),
              Math.max(1, sequences / groups)));
    }
    return new Plan(
        wishes.computeDType(),
        placement,
        kvGroups,
        kvHome == KvGroup.Home.HOST_STREAMED ? 2 : 0,
        Math.max(tokens, Math.max(1, sequences / groups)),
        ring,
        staging,
        swap.hostBlocks(),
        swap.diskBlocks(),
        granuleBytes);
  }
}
