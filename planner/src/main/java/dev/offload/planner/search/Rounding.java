package dev.offload.planner.search;

import dev.offload.tensors.Tier;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whole units in place of shares, within the memories to the byte. Begins with the program's shares
 * rounded down, gives what is left over where it lengthens the pass least, and improves by single
 * moves and exchanges. If there are so few units that all placements can be looked at, it looks at
 * them, skipping those that can only be worse; then nothing is better.
 */
final class Rounding {
  /** Looking at so many placements takes less than a second. */
  private static final double FEW_PLACEMENTS = 6e5;

  /** Pairs of more moves than that take too long to try. */
  private static final int FEW_MOVES = 90;

  private static final int DEVICE = 0;
  private static final int HOST = 1;
  private static final int DISK = 2;
  private static final int PLACES = 3;

  /** Relative difference below which one pass is as short as another. */
  private static final double SAME = 1e-9;

  private final PlannedModel model;
  private final Design design;
  private final Rooms rooms;
  private final int classCount;
  private final int[] onHost;
  private final Loads fixed;
  private final Loads[][] perUnit;

  /** What the units of a class and of all behind it can take off each row at most. */
  private final Loads[] gains;

  private int[][] counts;

  private Rounding(PlannedModel model, Design design, PassLoads loads, KvSplit split, Rooms rooms) {
    this.model = model;
    this.design = design;
    this.rooms = rooms;
    this.classCount = model.classes().size();
    this.onHost = new int[classCount];
    int experts = model.expertsPerLayer();
    for (int c = 0; c < classCount; c++) {
      UnitClass each = model.classes().get(c);
      boolean has = design.hasHostExperts() && each.experts() > 0;
      onHost[c] = has ? each.count() / experts * design.mostHostExperts() : 0;
    }
    this.fixed =
        new Loads()
            .add(1, loads.resident())
            .add((double) design.mostHostExperts() / Math.max(1, experts), loads.hostExperts())
            .add(split.streamedShare(), loads.streamedCache())
            .add(split.attendedShare(), loads.attendedCache());
    this.perUnit = new Loads[classCount][];
    for (int c = 0; c < classCount; c++) {
      PassLoads.Changes changes = loads.classes().get(c);
      double part = 1.0 / model.classes().get(c).count();
      perUnit[c] =
          new Loads[] {
            new Loads(),
            new Loads().add(part, changes.toHost()),
            new Loads().add(part, changes.toDisk())
          };
    }
    this.gains = new Loads[classCount + 1];
    gains[classCount] = new Loads();
    for (int c = classCount - 1; c >= 0; c--) {
      gains[c] = new Loads().add(1, gains[c + 1]);
      for (Row row : Row.values()) {
        double least = Math.min(0, Math.min(perUnit[c][HOST].of(row), perUnit[c][DISK].of(row)));
        gains[c].add(row, least * model.classes().get(c).count());
      }
    }
  }

  /**
   * The best whole placement that was found.
   *
   * @param counts of each class: units on the device, on the host, on disk, computed on the host
   */
  record Rounded(List<Counts> counts, Loads loads) {
    Rounded {
      counts = List.copyOf(counts);
    }
  }

  /** Units of a class. */
  record Counts(int device, int host, int disk, int onHost) {
    /** Bytes that units of a class take in memory there; on disk none. */
    long bytesOn(Tier tier, UnitClass each) {
      return switch (tier) {
        case DEVICE -> device * each.imageBytes();
        case HOST -> host * each.imageBytes() + onHost * each.hostBytes();
        case DISK -> 0;
      };
    }
  }

  /** Rounds; empty if no whole placement fits that is near the shares. */
  static Optional<Rounded> of(
      PlannedModel model,
      Design design,
      PassLoads loads,
      KvSplit split,
      Rooms rooms,
      PlacementProgram.Solution solution) {
    Rounding rounding = new Rounding(model, design, loads, split, rooms);
    boolean found = rounding.round(solution.shares());
    boolean isTight = found && rounding.isTight(solution);
    if (found && !isTight) {
      rounding.improve();
      isTight = rounding.isTight(solution);
    }
    if (!isTight && rounding.placements() <= FEW_PLACEMENTS) {
      found |= rounding.lookAtAll(found);
    }
    return found ? Optional.of(rounding.result()) : Optional.empty();
  }

  private boolean round(Shares shares) {
    counts = new int[classCount][PLACES];
    for (int c = 0; c < classCount; c++) {
      Shares.Away away = shares.classes().get(c);
      int units = model.classes().get(c).count();
      double left = units * (1 - away.host() - away.disk()) - onHost[c];
      counts[c][DEVICE] = whole(left);
      counts[c][HOST] = whole(units * away.host());
      counts[c][DISK] = whole(units * away.disk());
    }
    for (int c = 0; c < classCount; c++) {
      int placed = onHost[c];
      for (int place = 0; place < PLACES; place++) {
        placed += counts[c][place];
      }
      for (int left = model.classes().get(c).count() - placed; left > 0; left--) {
        if (!give(c)) {
          return false;
        }
      }
    }
    return fits();
  }

  private static int whole(double units) {
    return (int) Math.max(0, Math.floor(units + 1e-6));
  }

  /** Places one more unit of a class where the pass stays shortest. */
  private boolean give(int c) {
    int best = -1;
    double least = Double.POSITIVE_INFINITY;
    for (int place = 0; place < PLACES; place++) {
      if (!mayLive(c, place)) {
        continue;
      }
      counts[c][place]++;
      double score = fits() ? score() : Double.POSITIVE_INFINITY;
      counts[c][place]--;
      if (score < least) {
        least = score;
        best = place;
      }
    }
    if (best >= 0) {
      counts[c][best]++;
    }
    return best >= 0;
  }

  private boolean mayLive(int c, int place) {
    UnitClass each = model.classes().get(c);
    boolean moves = design.moves(each);
    return switch (place) {
      case DEVICE -> true;
      case HOST -> moves;
      default -> moves && design.disk();
    };
  }

  private boolean fits() {
    long device = 0;
    long host = 0;
    long disk = 0;
    for (int c = 0; c < classCount; c++) {
      long bytes = model.classes().get(c).imageBytes();
      device += counts[c][DEVICE] * bytes;
      host += counts[c][HOST] * bytes + onHost[c] * model.classes().get(c).hostBytes();
      disk += counts[c][DISK] * bytes;
    }
    return device <= rooms.resident() && host <= rooms.host() && disk <= rooms.disk();
  }

  private Loads loads() {
    Loads sum = new Loads().add(1, fixed);
    for (int c = 0; c < classCount; c++) {
      for (int place = 1; place < PLACES; place++) {
        if (counts[c][place] > 0) {
          sum.add(counts[c][place], perUnit[c][place]);
        }
      }
    }
    return sum;
  }

  /** Seconds of the pass; of equally short ones the one that moves least. */
  private double score() {
    Loads sum = loads();
    return sum.most() + SAME * (sum.of(Row.H2D) + 2 * sum.of(Row.DISK));
  }

  /** One unit of a class goes from one place to another. */
  private record Move(int unitClass, int from, int to) {}

  /** Nothing is shorter than what the program says. */
  private boolean isTight(PlacementProgram.Solution solution) {
    return loads().most() <= solution.seconds() * (1 + 1e-6);
  }

  private void improve() {
    List<Move> moves = moves();
    boolean better = true;
    while (better) {
      better = improve(moves, score());
    }
  }

  private boolean improve(List<Move> moves, double now) {
    for (Move move : moves) {
      if (!apply(move)) {
        continue;
      }
      if (fits() && score() < now * (1 - SAME / 10)) {
        return true;
      }
      for (Move other : moves.size() <= FEW_MOVES ? moves : List.<Move>of()) {
        if (other.unitClass() != move.unitClass() && apply(other)) {
          if (fits() && score() < now * (1 - SAME / 10)) {
            return true;
          }
          undo(other);
        }
      }
      undo(move);
    }
    return false;
  }

  private List<Move> moves() {
    List<Move> moves = new ArrayList<>();
    for (int c = 0; c < classCount; c++) {
      for (int from = 0; from < PLACES; from++) {
        for (int to = 0; to < PLACES; to++) {
          if (from != to && mayLive(c, from) && mayLive(c, to)) {
            moves.add(new Move(c, from, to));
          }
        }
      }
    }
    return moves;
  }

  private boolean apply(Move move) {
    int[] of = counts[move.unitClass()];
    if (of[move.from()] == 0) {
      return false;
    }
    of[move.from()]--;
    of[move.to()]++;
    return true;
  }

  private void undo(Move move) {
    counts[move.unitClass()][move.from()]++;
    counts[move.unitClass()][move.to()]--;
  }

  /** How many placements there are, up to exchanging units that are alike. */
  private double placements() {
    double all = 1;
    for (int c = 0; c < classCount; c++) {
      int places = 0;
      for (int place = 0; place < PLACES; place++) {
        places += mayLive(c, place) ? 1 : 0;
      }
      // Ways of giving n units to p places: n + p − 1 over p − 1.
      for (int k = 1; k < places; k++) {
        all *= (double) (model.classes().get(c).count() - onHost[c] + k) / k;
      }
    }
    return all;
  }

  private int[][] best;
  private double bestScore;

  private boolean lookAtAll(boolean found) {
    best = found ? copy(counts) : null;
    bestScore = found ? score() : Double.POSITIVE_INFINITY;
    counts = new int[classCount][PLACES];
    long host = rooms.host();
    for (int c = 0; c < classCount; c++) {
      host -= onHost[c] * model.classes().get(c).hostBytes();
    }
    look(0, rooms.resident(), host, rooms.disk(), new Loads().add(1, fixed));
    counts = best;
    return best != null;
  }

  /** Gives the units of a class and all behind it to places in all ways. */
  private void look(int c, long device, long host, long disk, Loads sum) {
    if (device < 0 || host < 0 || disk < 0 || !canBeBetter(c, sum)) {
      return;
    }
    if (c == classCount) {
      double score = score();
      if (score < bestScore) {
        bestScore = score;
        best = copy(counts);
      }
      return;
    }
    int units = model.classes().get(c).count() - onHost[c];
    long bytes = model.classes().get(c).imageBytes();
    for (int onDisk = 0; onDisk <= (mayLive(c, DISK) ? units : 0); onDisk++) {
      for (int streamed = 0; streamed <= (mayLive(c, HOST) ? units - onDisk : 0); streamed++) {
        int onDevice = units - onDisk - streamed;
        counts[c] = new int[] {onDevice, streamed, onDisk};
        Loads with = new Loads().add(1, sum);
        with.add(streamed, perUnit[c][HOST]).add(onDisk, perUnit[c][DISK]);
        look(
            c + 1, device - onDevice * bytes, host - streamed * bytes, disk - onDisk * bytes, with);
      }
    }
  }

  /** Rows of experts that wait for the device become shorter where it computes fewer of its own. */
  private boolean canBeBetter(int c, Loads sum) {
    return new Loads().add(1, sum).add(1, gains[c]).most() <= bestScore;
  }

  private static int[][] copy(int[][] of) {
    int[][] copy = new int[of.length][];
    for (int i = 0; i < of.length; i++) {
      copy[i] = of[i].clone();
    }
    return copy;
  }

  private Rounded result() {
    List<Counts> found = new ArrayList<>();
    for (int[] of : counts) {
      found.add(new Counts(of[DEVICE], of[HOST], of[DISK], onHost[found.size()]));
    }
    return new Rounded(found, loads());
  }
}
