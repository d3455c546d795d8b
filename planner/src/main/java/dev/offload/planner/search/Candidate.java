package dev.offload.planner.search;

import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.search.PlacementProgram.CacheRooms;
import dev.offload.planner.search.PlacementProgram.Solution;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A design with its loads, what room it leaves, and how fast it can be at most. */
final class Candidate {
  private final Format format;
  private final Design design;
  private final List<Home> homes;
  private final PassFlow flow;
  private final PassLoads loads;
  private final long groupBlocks;
  private final Map<Home, Rooms> rooms = new EnumMap<>(Home.class);
  private final double leastSeconds;

  private Candidate(Format format, Design design, List<Home> homes, PassLoads loads) {
    this.format = format;
    this.design = design;
    this.homes = homes;
    this.flow = format.flow(design);
    this.loads = loads;
    this.groupBlocks = format.groupBlocks(design);
    for (Home home : homes) {
      rooms.put(
          home, format.memory().rooms(design, KvSplit.all(home, design.groups()), groupBlocks));
    }
    this.leastSeconds = findLeastSeconds();
  }

  /**
   * A candidate; empty if it cannot fit the memories.
   *
   * @param homes where the cache may live; several only if it may be split
   */
  static Optional<Candidate> of(Format format, Design design, List<Home> homes) {
    boolean fits = homes.stream().anyMatch(home -> fits(format, design, home));
    // A split cache may fit where neither home has room for all of it.
    if (!fits && (homes.size() == 1 || design.groups() == 1)) {
      return Optional.empty();
    }
    return Optional.of(
        new Candidate(format, design, homes, format.loads(design, format.flow(design))));
  }

  /** Whether a design fits, but for cutting units, with all of the cache in one home. */
  static boolean fits(Format format, Design design, Home home) {
    long blocks = format.groupBlocks(design);
    Rooms rooms = format.memory().rooms(design, KvSplit.all(home, design.groups()), blocks);
    return lack(format.model(), design, rooms).isEmpty();
  }

  /**
   * Bytes that a memory lacks.
   *
   * @param device on the device
   * @param host on the host
   * @param disk on disk
   */
  record Lack(long device, long host, long disk) {
    boolean isEmpty() {
      return device == 0 && host == 0 && disk == 0;
    }

    long total() {
      return device + host + disk;
    }
  }

  /** What a design lacks if units could be cut. */
  static Lack lack(PlannedModel model, Design design, Rooms rooms) {
    long forced =
        model.classes().stream()
            .filter(each -> each.pieceBytes() > design.piece())
            .mapToLong(each -> each.totalBytes() - onHost(model, design, each))
            .sum();
    long device = Math.max(0, forced - rooms.resident());
    long away = Math.max(0, model.weightBytes() - Math.max(forced, rooms.resident()));
    long host = Math.max(0, -rooms.host());
    long toDisk = Math.max(0, away - Math.max(0, rooms.host()));
    return design.disk()
        ? new Lack(device, host, Math.max(0, toDisk - rooms.disk()))
        : new Lack(device, host + toDisk, 0);
  }

  /** Bytes of a class that need not be on the device, for the host computes them. */
  private static long onHost(PlannedModel model, Design design, UnitClass each) {
    return each.experts() == 0 || !design.hasHostExperts()
        ? 0
        : each.totalBytes() / model.expertsPerLayer() * design.mostHostExperts();
  }

  /**
   * The longest row, each with what of it cannot be avoided, for the best number of experts that
   * the host computes: rows are convex in it, and so is the longest.
   */
  private double findLeastSeconds() {
    int least = design.leastHostExperts();
    int most = design.mostHostExperts();
    while (least < most) {
      int middle = (least + most) / 2;
      if (leastSeconds(middle) <= leastSeconds(middle + 1)) {
        most = middle;
      } else {
        least = middle + 1;
      }
    }
    return leastSeconds(least);
  }

  private double leastSeconds(int hostExperts) {
    double share = (double) hostExperts / Math.max(1, format.model().expertsPerLayer());
    double least = 0;
    for (Row row : Row.values()) {
      double cache = Double.POSITIVE_INFINITY;
      double weights = Double.POSITIVE_INFINITY;
      for (Home home : homes) {
        cache = Math.min(cache, cacheChange(home, row));
        weights = Math.min(weights, weightsChange(home, row, share));
      }
      double experts = share * loads.hostExperts().of(row);
      least = Math.max(least, loads.resident().of(row) + cache + weights + experts);
    }
    return least;
  }

  private double cacheChange(Home home, Row row) {
    return switch (home) {
      case DEVICE -> 0;
      case HOST_STREAMED -> loads.streamedCache().of(row);
      case HOST_ATTENDED -> loads.attendedCache().of(row);
    };
  }

  /** What must be away, at the price of what is cheapest to have away. */
  private double weightsChange(Home home, Row row, double hostExperts) {
    return row == Row.DISK ? fromDisk(home, hostExperts) : away(home, row, hostExperts);
  }

  /** Reads of what neither device nor host has room for. */
  private double fromDisk(Home home, double hostExperts) {
    double perByte = Double.POSITIVE_INFINITY;
    for (int i = 0; i < loads.classes().size(); i++) {
      UnitClass each = format.model().classes().get(i);
      if (each.pieceBytes() <= design.piece()) {
        perByte =
            Math.min(perByte, loads.classes().get(i).toDisk().of(Row.DISK) / each.totalBytes());
      }
    }
    PlannedModel model = format.model();
    double onDevice = Math.max(0, rooms.get(home).resident());
    double onHost = rooms.get(home).host() - hostExperts * model.hostExpertBytes();
    double bytes = model.weightBytes() - hostExperts * model.expertBytes() - onDevice - onHost;
    return design.disk() && bytes > 0 && !Double.isInfinite(perByte) ? bytes * perByte : 0;
  }

  private double away(Home home, Row row, double hostExperts) {
    double perByte = Double.POSITIVE_INFINITY;
    double gain = 0;
    for (int i = 0; i < loads.classes().size(); i++) {
      UnitClass each = format.model().classes().get(i);
      PassLoads.Changes changes = loads.classes().get(i);
      if (design.moves(each)) {
        double host = changes.toHost().of(row);
        double change = design.disk() ? Math.min(host, changes.toDisk().of(row)) : host;
        gain += Math.min(0, change);
        perByte = Math.min(perByte, Math.max(0, change) / each.totalBytes());
      }
    }
    double resident = rooms.get(home).resident() + hostExperts * format.model().expertBytes();
    double away = Math.max(0, format.model().weightBytes() - resident);
    return away == 0 || Double.isInfinite(perByte) ? gain : gain + away * perByte;
  }

  Format format() {
    return format;
  }

  Design design() {
    return design;
  }

  PassFlow flow() {
    return flow;
  }

  PassLoads loads() {
    return loads;
  }

  long groupBlocks() {
    return groupBlocks;
  }

  boolean hasOneHome() {
    return homes.size() == 1;
  }

  /** The same with so many experts of each layer on the host; empty if that cannot fit. */
  Optional<Candidate> withHostExperts(int count) {
    return of(format, design.withHostExperts(count, count), homes);
  }

  /** The same with so many tokens in a micro-batch; empty if that cannot fit. */
  Optional<Candidate> withMicroBatchTokens(int tokens) {
    return of(format, design.withMicroBatchTokens(tokens), homes);
  }

  private double hostExpertShare() {
    return (double) design.mostHostExperts() / Math.max(1, format.model().expertsPerLayer());
  }

  /** No placement is faster. */
  double mostTokensPerSecond() {
    return tokensPerSecond(leastSeconds);
  }

  /** Tokens generated per second if a pass takes so long. */
  double tokensPerSecond(double passSeconds) {
    return flow.generated() / (passSeconds + loads.between());
  }

  /** The best shares; empty if nothing fits. */
  Optional<Solution> solve() {
    if (homes.size() == 1) {
      Home home = homes.getFirst();
      KvSplit split = KvSplit.all(home, design.groups());
      return PlacementProgram.solve(format.model(), design, loads, split, rooms.get(home));
    }
    CacheRooms all =
        new CacheRooms(
            rooms.get(Home.DEVICE),
            Optional.ofNullable(rooms.get(Home.HOST_STREAMED)),
            Optional.ofNullable(rooms.get(Home.HOST_ATTENDED)));
    return PlacementProgram.solve(format.model(), design, loads, all);
  }

  /** Whole KV groups near the shares of a solution. */
  List<KvSplit> splits(Solution solution) {
    int groups = design.groups();
    if (homes.size() == 1) {
      return List.of(KvSplit.all(homes.getFirst(), groups));
    }
    List<KvSplit> splits = new ArrayList<>();
    int streamed = (int) Math.floor(solution.shares().streamed() * groups + 1e-6);
    int attended = (int) Math.floor(solution.shares().attended() * groups + 1e-6);
    boolean streamedWhole = solution.shares().streamed() * groups - streamed < 1e-6;
    boolean attendedWhole = solution.shares().attended() * groups - attended < 1e-6;
    for (int s = streamed; s <= streamed + (streamedWhole ? 0 : 1); s++) {
      for (int a = attended; a <= attended + (attendedWhole ? 0 : 1); a++) {
        if (s + a <= groups) {
          splits.add(new KvSplit(groups - s - a, s, a));
        }
      }
    }
    return splits;
  }

  /** Solves once more for whole KV groups, and rounds to whole units. */
  Optional<Whole> round(KvSplit split) {
    Rooms exact = format.memory().rooms(design, split, groupBlocks);
    if (!lack(format.model(), design, exact).isEmpty()) {
      return Optional.empty();
    }
    return PlacementProgram.solve(format.model(), design, loads, split, exact)
        .flatMap(
            solution ->
                Rounding.of(format.model(), design, loads, split, exact, solution)
                    .map(rounded -> new Whole(this, split, exact, solution, rounded)));
  }

  /** A design with its cache and all units in whole places. */
  record Whole(
      Candidate candidate,
      KvSplit split,
      Rooms rooms,
      Solution solution,
      Rounding.Rounded rounded) {

    /** The whole places as shares. */
    Shares shares() {
      List<Shares.Away> away = new ArrayList<>();
      for (Rounding.Counts of : rounded.counts()) {
        double units = of.device() + of.host() + of.disk() + of.onHost();
        away.add(new Shares.Away(of.host() / units, of.disk() / units));
      }
      double onHost = candidate.hostExpertShare();
      return new Shares(away, onHost, split.streamedShare(), split.attendedShare());
    }

    /** Seconds of a pass through which something else goes, what is between passes included. */
    double seconds(PassFlow other) {
      PassLoads loads = candidate.format.loads(candidate.design, other);
      return shares().loads(loads).most() + loads.between();
    }

    double tokensPerSecond() {
      return candidate.tokensPerSecond(rounded.loads().most());
    }
  }
}
