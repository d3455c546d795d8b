package dev.offload.planner.search;

import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.planner.search.PlacementProgram.Solution;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Looks for the best design: sequences in flight, micro-batches, and through which ring weights
 * pass, each with the linear program's best placement. What a design can reach at most is known
 * without solving, so only those are solved that may be best. Not thread-safe.
 */
final class PlanSearch {
  /** Designs that are this little worse than the best are as good. */
  private static final double AS_GOOD = 0.003;

  /** What this little more is gained by makes passes larger for nothing. */
  private static final double GAINS_NOTHING = 0.01;

  /** Whole places that are this much worse than shares call for a closer look. */
  private static final double MUCH_LESS = 0.05;

  private static final int MOST_SEQUENCES = 1 << 17;

  /** So many doublings of the sequences that gain nothing end the search. */
  private static final int LEVEL_DOUBLINGS = 2;

  private static final int[] MICRO_BATCHES = {1, 2, 4, 8};
  private static final int[] DENSE_RING_PIECES = {Design.LEAST_RING_PIECES};

  /** Other weights lie between experts, so that one more is needed for three experts. */
  private static final int[] MIXTURE_RING_PIECES = {4, 12, 48};

  private static final int MOST_PIECES = 4;

  /** A candidate with its best shares. */
  record Solved(Candidate candidate, Solution solution) {
    double tokensPerSecond() {
      return candidate.tokensPerSecond(solution.seconds());
    }
  }

  private final Format format;
  private final Wishes wishes;
  private final List<Solved> solved = new ArrayList<>();
  private int programs;

  PlanSearch(Format format) {
    this.format = format;
    this.wishes = format.wishes();
  }

  Format format() {
    return format;
  }

  /** All designs that were solved. */
  List<Solved> solved() {
    return solved;
  }

  /** How many linear programs were solved. */
  int programs() {
    return programs;
  }

  /** The best whole plan; empty if nothing fits the memories. */
  Optional<Whole> best() {
    Optional<Whole> best =
        wishes.sequences().isPresent() ? bestOf(wishes.sequences().getAsInt()) : bestOfAny();
    if (best.isEmpty()) {
      best = least();
    }
    return best.isEmpty() && wishes.cacheTokens() > 0 ? withoutLongRows() : best;
  }

  private Optional<Whole> bestOfAny() {
    coarse();
    fine();
    return rounded();
  }

  private Optional<Whole> rounded() {
    double promised = fastest().map(Solved::tokensPerSecond).orElse(0.0);
    Optional<Whole> best = roundBest();
    double reached = best.map(Whole::tokensPerSecond).orElse(0.0);
    boolean splits = wishes.kvHome().isEmpty() && wishes.microBatches().orElse(2) > 1;
    return splits && reached < promised * (1 - MUCH_LESS) ? faster(best, inOneHome()) : best;
  }

  /** For rows that are no longer than expected. */
  private Optional<Whole> withoutLongRows() {
    PlanSearch search = new PlanSearch(format.withoutLongRows());
    Optional<Whole> best = search.best();
    solved.addAll(search.solved);
    programs += search.programs;
    return best;
  }

  /** Where few KV groups cannot be split as the program would, all of them in one home. */
  private Optional<Whole> inOneHome() {
    Optional<Whole> best = Optional.empty();
    for (Home home : Home.values()) {
      PlanSearch search =
          new PlanSearch(
              Format.of(
                  format.model(), format.machine(), format.workload(), wishes.withKvHome(home)));
      best = faster(best, search.best());
      solved.addAll(search.solved);
      programs += search.programs;
    }
    return best;
  }

  private static Optional<Whole> faster(Optional<Whole> one, Optional<Whole> other) {
    return other.map(Whole::tokensPerSecond).orElse(0.0)
            > one.map(Whole::tokensPerSecond).orElse(0.0)
        ? other
        : one;
  }

  /**
   * How many sequences may be in flight and for how many there is room.
   *
   * @param most in flight
   * @param sequences for which the cache has room
   * @param tokens of a pass
   */
  private record Level(int most, int sequences, double tokens) {}

  private void coarse() {
    double best = 0;
    int level = 0;
    for (int sequences = 1; sequences <= mostSequences(); sequences *= 2) {
      Optional<Solved> found = solve(List.of(level(sequences)), false, true, 0);
      double reached = found.map(Solved::tokensPerSecond).orElse(0.0);
      level = reached > best * (1 + AS_GOOD) ? 0 : level + 1;
      best = Math.max(best, reached);
      if (best > 0 && level == LEVEL_DOUBLINGS) {
        return;
      }
    }
  }

  /**
   * Most sequences given: as many as wished, whatever part of them the cache is for, or if that
   * cannot be, half as many with half as many tokens in a pass, and so on.
   */
  private Optional<Whole> bestOf(int most) {
    double tokens = wishes.microBatchTokens().orElse(0) * (double) groups()[0];
    if (tokens == 0) {
      tokens = PassFlow.tokensFor(format.workload(), most);
    }
    int least = wishes.microBatches().orElse(1);
    for (int sequences = most; ; sequences = Math.max(least, sequences / 2)) {
      int before = solved.size();
      solve(sequences, tokens);
      Optional<Whole> best = rounded();
      if (best.isEmpty() && solved.size() > before) { // units cannot be cut as these would have it
        candidates(List.of(new Level(sequences, 1, tokens)), true, true, false)
            .forEach(each -> solved.addAll(solve(each, 0)));
        best = roundFastest(fastestFirst());
      }
      if (best.isPresent() || (sequences == least && tokens <= least)) {
        return best;
      }
      tokens = Math.max(least, tokens / 2);
    }
  }

  /** Solves for so many in flight; a disk that nobody measured is for what must be there. */
  private void solve(int sequences, double tokens) {
    int before = solved.size();
    if (solveResident(sequences, tokens)) {
      return;
    }
    if (!format.knowsDisk()) {
      solve(sequences, tokens, false);
    }
    if (solved.size() == before) {
      solve(sequences, tokens, true);
    }
  }

  /** Whether it is best to have everything on the device: then nothing else has to be looked at. */
  private boolean solveResident(int sequences, double tokens) {
    Level level = new Level(sequences, sequences, tokens);
    List<Candidate> found = new ArrayList<>();
    for (int groups : groups()) {
      Design design = design(level, groups, 0, Design.LEAST_RING_PIECES, false);
      if (groups > sequences
          || wishes.kvHome().orElse(Home.DEVICE) != Home.DEVICE
          || !Candidate.fits(format, design, Home.DEVICE)) {
        continue;
      }
      if (format.machine().sharing().deviceIsHost()) { // whose cores attend no faster elsewhere
        Candidate.of(format, design, List.of(Home.DEVICE)).ifPresent(found::add);
      } else {
        add(design, found);
      }
    }
    return solve(found).filter(PlanSearch::isResident).isPresent();
  }

  /** With cache for all in flight or for a part. */
  private void solve(int sequences, double tokens, boolean disk) {
    double best = 0;
    for (int cached = sequences; cached >= 1; cached /= 2) {
      Level level = new Level(sequences, cached, tokens);
      Optional<Solved> found = solve(List.of(level), true, disk, best);
      best = Math.max(best, found.map(Solved::tokensPerSecond).orElse(0.0));
      if (found.isPresent() && isResident(found.get())) {
        return;
      }
    }
  }

  /** Weights and cache of as many as may be in flight. */
  private static boolean isResident(Solved solved) {
    Design design = solved.candidate().design();
    Shares shares = solved.solution().shares();
    return !design.streams()
        && !design.hasHostExperts()
        && design.sequences() == design.mostSequences()
        && shares.streamed() + shares.attended() == 0;
  }

  private int mostSequences() {
    long requests = format.workload().requests().orElse(MOST_SEQUENCES);
    return (int) Math.min(MOST_SEQUENCES, requests);
  }

  private Level level(int sequences) {
    return new Level(sequences, sequences, PassFlow.tokensFor(format.workload(), sequences));
  }

  /** Around the best number of sequences: others nearby, and all designs. */
  private void fine() {
    Optional<Solved> best = fastest();
    if (best.isEmpty()) {
      return;
    }
    Design design = best.get().candidate().design();
    List<Level> nearby = new ArrayList<>();
    for (int eighths : new int[] {5, 6, 7, 10, 12, 14}) {
      int sequences = Math.max(1, design.sequences() * eighths / 8);
      nearby.add(level(Math.min(mostSequences(), sequences)));
    }
    solve(nearby, false, true, 0);
    int sequences = fastest().orElseThrow().candidate().design().sequences();
    solve(List.of(level(sequences)), true, true, 0);
  }

  private Optional<Solved> fastest() {
    return solved.stream().max(Comparator.comparingDouble(Solved::tokensPerSecond));
  }

  private Optional<Solved> solve(List<Candidate> candidates) {
    return solve(candidates, 0);
  }

  /** Solves what may be best and better than known; returns the best of these. */
  private Optional<Solved> solve(List<Candidate> candidates, double known) {
    Optional<Solved> best = Optional.empty();
    List<Candidate> sorted = new ArrayList<>(candidates);
    sorted.sort(mostFirst());
    for (Candidate candidate : sorted) {
      double reached = best.map(Solved::tokensPerSecond).orElse(0.0);
      if (candidate.mostTokensPerSecond() <= Math.max(known, reached) * (1 + AS_GOOD)) {
        break;
      }
      for (Solved found : solve(candidate, Math.max(known, reached))) {
        solved.add(found);
        if (found.tokensPerSecond() > best.map(Solved::tokensPerSecond).orElse(0.0)) {
          best = Optional.of(found);
        }
      }
    }
    return best;
  }

  /** What may be best first; of those that may be as good, what takes less for its ring. */
  private static Comparator<Candidate> mostFirst() {
    Comparator<Candidate> least =
        Comparator.comparingLong(
            each -> -Math.round(Math.log(each.mostTokensPerSecond()) / AS_GOOD));
    return least
        .thenComparing(each -> each.design().ringBytes())
        .thenComparing(Comparator.comparingDouble(Candidate::mostTokensPerSecond).reversed());
  }

  /** If the host may compute experts, with whole numbers of them near the best share. */
  private List<Solved> solve(Candidate candidate, double known) {
    programs++;
    Optional<Solved> found = candidate.solve().map(solution -> new Solved(candidate, solution));
    if (candidate.design().hasWholeHostExperts()) {
      return found.stream().toList();
    }
    if (found.isEmpty() || found.get().tokensPerSecond() <= known * (1 + AS_GOOD)) {
      return List.of();
    }
    double share = found.get().solution().shares().hostExperts();
    double experts = share * format.model().expertsPerLayer();
    List<Solved> whole = new ArrayList<>();
    for (int n = (int) (experts + 1e-6); n < experts + 1 - 1e-6; n++) {
      candidate.withHostExperts(n).ifPresent(each -> whole.addAll(solve(each, known)));
    }
    return whole;
  }

  private int[] groups() {
    OptionalInt wished = wishes.microBatches();
    return wished.isPresent() ? new int[] {wished.getAsInt()} : MICRO_BATCHES;
  }

  /**
   * Solves designs for some numbers of sequences, and where weights have to be away from the device
   * and are not read from disk most of the time, those in which the host computes experts. A device
   * whose cores are the host's gains nothing by that.
   */
  private Optional<Solved> solve(List<Level> levels, boolean all, boolean disk, double known) {
    Optional<Solved> best = solve(candidates(levels, all, disk, false), known);
    boolean reads = best.map(PlanSearch::longest).filter(Row.DISK::equals).isPresent();
    if (reads
        || format.machine().sharing().deviceIsHost()
        || format.model().expertsPerLayer() == 0) {
      return best;
    }
    double reached = best.map(Solved::tokensPerSecond).orElse(0.0);
    Optional<Solved> other = solve(candidates(levels, all, disk, true), Math.max(known, reached));
    return other.map(Solved::tokensPerSecond).orElse(0.0) > reached ? other : best;
  }

  private static Row longest(Solved solved) {
    return solved.solution().shares().loads(solved.candidate().loads()).longest();
  }

  /**
   * Designs for so many sequences.
   *
   * @param all or some that tell how good they can be
   * @param disk whether weights may be read from disk
   * @param hostExperts whether the host computes experts
   */
  private List<Candidate> candidates(
      List<Level> levels, boolean all, boolean disk, boolean hostExperts) {
    List<Candidate> found = new ArrayList<>();
    for (Level level : levels) {
      for (int groups : groups()) {
        boolean isCoarse = groups == 1 || groups == 4 || wishes.microBatches().isPresent();
        if (groups > level.most() || (!all && !isCoarse)) {
          continue;
        }
        Design resident = design(level, groups, 0, Design.LEAST_RING_PIECES, false);
        if (hostExperts && fits(resident)) {
          continue;
        }
        add(resident, hostExperts, found);
        long[] pieces = pieces();
        for (long piece : all ? pieces : Arrays.copyOf(pieces, Math.min(1, pieces.length))) {
          int[] ringPieces = ringPieces();
          for (int ring : all ? ringPieces : Arrays.copyOf(ringPieces, 1)) {
            addStreaming(level, groups, piece, ring, disk, hostExperts, found);
          }
        }
        if (all && found.isEmpty() && !hostExperts) {
          for (long piece : pieces) {
            addStreaming(level, groups, piece, Design.LEAST_RING_PIECES, disk, false, found);
          }
        }
      }
    }
    return found;
  }

  private void addStreaming(
      Level level,
      int groups,
      long piece,
      int ring,
      boolean disk,
      boolean hostExperts,
      List<Candidate> found) {
    Design design = design(level, groups, piece, ring, false);
    add(design, hostExperts, found);
    if (disk && !fits(design)) {
      add(design(level, groups, piece, ring, true), hostExperts, found);
    }
  }

  private void add(Design design, boolean hostExperts, List<Candidate> found) {
    int experts = hostExperts ? format.model().expertsPerLayer() : 0;
    add(hostExperts ? design.withHostExperts(1, experts) : design, found);
  }

  private int[] ringPieces() {
    return format.model().mixtureLayers() > 0 ? MIXTURE_RING_PIECES : DENSE_RING_PIECES;
  }

  private Design design(Level level, int groups, long piece, int ringPieces, boolean disk) {
    int tokens =
        wishes.microBatchTokens().isPresent() && level.tokens() <= 0
            ? wishes.microBatchTokens().getAsInt()
            : (int) Math.min(Design.MOST_TOKENS, Math.ceil(level.tokens() / groups));
    int least = Math.max(1, level.most() / groups);
    return new Design(
        level.sequences(), level.most(), groups, Math.max(tokens, least), piece, ringPieces, disk);
  }

  /** Whether a design fits wherever the cache is. */
  private boolean fits(Design design) {
    return homes().stream().allMatch(home -> Candidate.fits(format, design, home));
  }

  private List<Home> homes() {
    return wishes.kvHome().map(List::of).orElse(List.of(Home.values()));
  }

  /** Adds a design once per way of having the cache. */
  private void add(Design design, List<Candidate> found) {
    List<Home> homes = homes();
    List<List<Home>> ways = new ArrayList<>();
    if (design.groups() == 1 || homes.size() == 1) {
      homes.forEach(home -> ways.add(List.of(home)));
    } else {
      ways.add(homes);
    }
    ways.forEach(way -> Candidate.of(format, design, way).ifPresent(found::add));
  }

  /** Sizes of units, the largest first; some of them if there are many. */
  private long[] pieces() {
    long[] sizes = allPieces();
    if (sizes.length <= MOST_PIECES) {
      return sizes;
    }
    Set<Long> some = new LinkedHashSet<>();
    for (int i = 0; i < MOST_PIECES; i++) {
      some.add(sizes[i * (sizes.length - 1) / (MOST_PIECES - 1)]);
    }
    return some.stream().mapToLong(Long::longValue).toArray();
  }

  private long[] allPieces() {
    return format.model().classes().stream()
        .map(UnitClass::pieceBytes)
        .distinct()
        .sorted(Comparator.reverseOrder())
        .mapToLong(Long::longValue)
        .toArray();
  }

  /** Rounds the simplest of those that are good enough, or else the best. */
  private Optional<Whole> roundBest() {
    List<Solved> sorted = fastestFirst();
    if (sorted.isEmpty()) {
      return Optional.empty();
    }
    double enough = sorted.getFirst().tokensPerSecond() * (1 - GAINS_NOTHING);
    Optional<Whole> simplest =
        sorted.stream()
            .filter(each -> each.tokensPerSecond() >= enough)
            .min(simplestFirst())
            .flatMap(this::round)
            .filter(whole -> whole.tokensPerSecond() >= enough * (1 - AS_GOOD));
    return simplest.isPresent() ? simplest : roundFastest(sorted);
  }

  private List<Solved> fastestFirst() {
    List<Solved> sorted = new ArrayList<>(solved);
    sorted.sort(Comparator.comparingDouble(Solved::tokensPerSecond).reversed());
    return sorted;
  }

  /** More in flight is no end in itself where lengths are known. */
  private Comparator<Solved> simplestFirst() {
    Comparator<Solved> fewest =
        Comparator.comparingInt(each -> each.candidate().design().sequences());
    return (wishes.sequences().isPresent() ? fewest.reversed() : fewest)
        .thenComparing(PlanSearch::cacheAway)
        .thenComparing(each -> each.candidate().design().streams())
        .thenComparing(each -> each.candidate().design().disk())
        .thenComparing(each -> each.candidate().design().mostHostExperts())
        .thenComparing(each -> each.candidate().design().groups())
        .thenComparing(each -> each.candidate().design().ringBytes());
  }

  private static double cacheAway(Solved solved) {
    Shares shares = solved.solution().shares();
    return shares.streamed() + shares.attended();
  }

  private Optional<Whole> roundFastest(List<Solved> sorted) {
    Optional<Whole> best = Optional.empty();
    for (Solved next : sorted) {
      double reached = best.map(Whole::tokensPerSecond).orElse(0.0);
      if (next.tokensPerSecond() <= reached * (1 + AS_GOOD)) {
        break;
      }
      Optional<Whole> whole = round(next);
      if (whole.map(Whole::tokensPerSecond).orElse(0.0) > reached) {
        best = whole;
      }
    }
    return best;
  }

  /** With whole KV groups near the shares, or if they are much worse, all groups in one home. */
  private Optional<Whole> round(Solved solved) {
    Candidate candidate = solved.candidate();
    Optional<Whole> best = fastest(candidate, candidate.splits(solved.solution()));
    boolean isNear =
        best.map(Whole::tokensPerSecond).orElse(0.0)
            >= solved.tokensPerSecond() * (1 - 2 * GAINS_NOTHING);
    if (isNear || candidate.hasOneHome()) {
      return best;
    }
    List<KvSplit> pure = new ArrayList<>();
    for (Home home : Home.values()) {
      pure.add(KvSplit.all(home, candidate.design().groups()));
    }
    return faster(best, fastest(candidate, pure));
  }

  private Optional<Whole> fastest(Candidate candidate, List<KvSplit> splits) {
    Optional<Whole> best = Optional.empty();
    for (KvSplit split : splits) {
      programs++;
      best = faster(best, candidate.round(split));
    }
    return best;
  }

  /** With as little memory as possible. */
  private Optional<Whole> least() {
    solved.clear();
    List<Candidate> all = new ArrayList<>();
    for (Design design : leastDesigns()) {
      add(design, all);
    }
    solve(all);
    return roundBest();
  }

  /** Designs with one sequence in flight, or one per micro-batch, through rings of all sizes. */
  List<Design> leastDesigns() {
    int groups = wishes.microBatches().orElse(1);
    Level level = new Level(groups, 1, groups);
    List<Design> designs = new ArrayList<>();
    int ring = Design.LEAST_RING_PIECES;
    designs.add(design(level, groups, 0, ring, false));
    for (long piece : allPieces()) {
      designs.add(design(level, groups, piece, ring, false));
      designs.add(design(level, groups, piece, ring, true));
    }
    return designs;
  }
}
