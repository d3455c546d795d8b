package dev.offload.planner.search;

import dev.offload.planner.KvGroup;
import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.Lane;
import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.Recommendation;
import dev.offload.planner.Recommendation.Alternative;
import dev.offload.planner.Recommendation.CurvePoint;
import dev.offload.planner.Recommendation.Item;
import dev.offload.planner.Recommendation.Memory;
import dev.offload.planner.Recommendation.Prediction;
import dev.offload.planner.Workload;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.planner.search.PlanSearch.Solved;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Says of the best plan what to expect, why it is best, and what would make it better. */
final class Recommender {
  private static final int MOST_ALTERNATIVES = 8;

  private static final Set<Row> SHARING_HOST_MEMORY =
      EnumSet.of(
          Row.HOST_MEMORY, Row.EXPERTS_AT_ONCE, Row.EXPERTS_BESIDE_COPIES, Row.COPIES_BESIDE_HOST);

  private final PlanSearch search;
  private final Whole best;
  private final Format format;
  private final Design design;
  private final ModelSizes sizes;
  private final Plan plan;
  private final Loads loads;

  private Recommender(PlanSearch search, Whole best) {
    this.search = search;
    this.best = best;
    this.format = best.candidate().format();
    this.design = best.candidate().design();
    this.sizes = format.model().sizes();
    this.plan = PlanMaker.plan(best);
    this.loads = best.rounded().loads();
  }

  /**
   * The recommendation.
   *
   * @param others plans in other formats, for comparison
   */
  static Recommendation of(PlanSearch search, Whole best, List<Whole> others) {
    Recommender made = new Recommender(search, best);
    return new Recommendation(
        made.plan,
        made.format.machine(),
        made.format.workload(),
        made.prediction(),
        made.memory(),
        AdviceMaker.of(best),
        made.alternatives(others),
        made.curve(),
        best.candidate().loads().operations().list(),
        made.warnings());
  }

  private Prediction prediction() {
    Workload workload = format.workload();
    PassFlow flow = best.candidate().flow();
    double between = best.candidate().loads().between();
    double steady = best.tokensPerSecond();
    double job = Double.POSITIVE_INFINITY;
    if (workload.requests().isPresent()) {
      job = JobTime.seconds(best, workload, workload.requests().getAsLong());
      steady = workload.requests().getAsLong() * workload.meanGeneratedTokens() / job;
    }
    PassFlow prompts = PassFlow.prefill(workload, design.passTokens());
    PassFlow outputs = PassFlow.decode(workload, design.sequences());
    Map<Lane, Double> lanes = new EnumMap<>(Lane.class);
    for (Lane lane : Lane.values()) {
      lanes.put(lane, loads.of(Row.of(lane)));
    }
    Map<String, Double> shared = new LinkedHashMap<>();
    for (Row row : Row.values()) {
      if (!row.isLane() && loads.of(row) > 0) {
        shared.put(row.title(), loads.of(row));
      }
    }
    return new Prediction(
        steady,
        prompts.load().rows() / best.seconds(prompts),
        outputs.generated() / best.seconds(outputs),
        loads.most() + between,
        flow.load().rows(),
        job,
        lanes,
        shared,
        loads.bottleneck().title(),
        best.candidate().tokensPerSecond(best.solution().seconds()));
  }

  private Map<Tier, Memory> memory() {
    Map<Tier, Memory> memory = new EnumMap<>(Tier.class);
    Wishes wishes = format.wishes();
    for (Tier tier : Tier.values()) {
      memory.put(
          tier,
          switch (tier) {
            case DEVICE -> new Memory(wishes.deviceBytes(), deviceItems());
            case HOST -> new Memory(wishes.hostBytes(), hostItems());
            case DISK -> new Memory(wishes.diskBytes(), weights(Tier.DISK));
          });
    }
    return memory;
  }

  private List<Item> deviceItems() {
    List<Item> items = weights(Tier.DEVICE);
    add(items, "KV cache", cacheBytes(Home.DEVICE));
    add(items, "ring", design.ringBytes());
    long slots = 0;
    for (KvGroup group : plan.kvGroups()) {
      long layer = group.blocks() * sizes.kvBlockBytes() / format.model().layers();
      slots = group.home() == Home.HOST_STREAMED ? Math.max(slots, layer) : slots;
    }
    add(items, "KV ring", plan.kvRingSlots() * slots);
    add(items, "workspace", sizes.deviceBytes(plan));
    return items;
  }

  private List<Item> hostItems() {
    List<Item> items = weights(Tier.HOST);
    add(items, "KV cache", cacheBytes(Home.HOST_ATTENDED) + cacheBytes(Home.HOST_STREAMED));
    if (best.rooms().tablesOnHost()) {
      add(items, "lookup tables", sizes.tableBytes());
    }
    add(items, "staging", plan.stagingBytes());
    long passing = plan.diskSwapBlocks() > 0 ? 1 : 0;
    add(items, "preempted cache", (plan.swapBlocks() + passing) * sizes.kvBlockBytes());
    add(items, "workspace", sizes.hostBytes(plan));
    return items;
  }

  private long cacheBytes(Home home) {
    return plan.kvGroups().stream()
        .filter(group -> group.home() == home)
        .mapToLong(group -> group.blocks() * sizes.kvBlockBytes())
        .sum();
  }

  private List<Item> weights(Tier tier) {
    Map<UnitId.Kind, Long> bytes = new EnumMap<>(UnitId.Kind.class);
    for (int i = 0; i < format.model().classes().size(); i++) {
      UnitClass each = format.model().classes().get(i);
      Rounding.Counts counts = best.rounded().counts().get(i);
      long sum =
          tier == Tier.DISK
              ? counts.disk() * each.size().rowMajorBytes()
              : counts.bytesOn(tier, each);
      bytes.merge(each.kind(), sum, Long::sum);
    }
    List<Item> items = new ArrayList<>();
    bytes.forEach((kind, sum) -> add(items, title(kind), sum));
    return items;
  }

  private static String title(UnitId.Kind kind) {
    return switch (kind) {
      case EMBEDDING -> "embedding";
      case ATTENTION -> "attention";
      case MLP -> "feed-forward";
      case ROUTER -> "routers";
      case SHARED_EXPERT -> "shared experts";
      case EXPERT -> "experts";
      case HEAD -> "final norm";
      case OUTPUT -> "output matrix";
    };
  }

  private static void add(List<Item> items, String name, long bytes) {
    if (bytes > 0) {
      items.add(new Item(name, bytes));
    }
  }

  /** The best of each number of sequences. */
  private List<CurvePoint> curve() {
    Map<Integer, Solved> bySequences = new TreeMap<>();
    for (Solved each : search.solved()) {
      bySequences.merge(
          each.candidate().design().sequences(),
          each,
          (a, b) -> a.tokensPerSecond() >= b.tokensPerSecond() ? a : b);
    }
    return bySequences.values().stream()
        .map(
            each ->
                new CurvePoint(
                    each.candidate().design().sequences(),
                    each.tokensPerSecond(),
                    bound(each).title()))
        .toList();
  }

  private static Row bound(Solved solved) {
    return solved.solution().shares().loads(solved.candidate().loads()).bottleneck();
  }

  private List<Alternative> alternatives(List<Whole> others) {
    List<Alternative> found = new ArrayList<>();
    for (Whole other : others) {
      found.add(
          alternative(
              "in " + name(other.candidate().format().model().sizes()),
              other.tokensPerSecond(),
              "bounded by " + other.rounded().loads().bottleneck().title()));
    }
    for (Home home : Home.values()) {
      if (!KvSplit.all(home, design.groups()).equals(best.split())) {
        found.add(withCache(home));
      }
    }
    if (design.streams()) {
      found.add(resident());
    }
    if (design.hasHostExperts()) {
      Home home = best.split().home(0);
      found.add(evaluate("no experts computed on the host", design.withHostExperts(0, 0), home));
    }
    for (int sequences : new int[] {design.sequences() / 2, design.sequences() * 2}) {
      otherSequences(sequences).ifPresent(found::add);
    }
    found.sort(Comparator.comparingDouble(Alternative::tokensPerSecond).reversed());
    return found.subList(0, Math.min(MOST_ALTERNATIVES, found.size()));
  }

  private static String name(ModelSizes sizes) {
    return sizes.computeDType().name().toLowerCase(Locale.ROOT);
  }

  private Alternative withCache(Home home) {
    String name =
        switch (home) {
          case DEVICE -> "KV cache on the device";
          case HOST_STREAMED -> "KV cache on the host, streamed";
          case HOST_ATTENDED -> "KV cache on the host, attended there";
        };
    return evaluate(name, design, home);
  }

  private Alternative resident() {
    Design whole =
        new Design(
            design.sequences(),
            design.mostSequences(),
            design.groups(),
            design.microBatchTokens(),
            0,
            Design.LEAST_RING_PIECES,
            false);
    Home home = best.split().home(0);
    return evaluate("all weights on the device", whole, home);
  }

  private Alternative evaluate(String name, Design other, Home home) {
    long blocks = format.groupBlocks(other);
    Rooms rooms = format.memory().rooms(other, KvSplit.all(home, other.groups()), blocks);
    Candidate.Lack lack = Candidate.lack(format.model(), other, rooms);
    if (!lack.isEmpty()) {
      return new Alternative(name, 0, "does not fit: " + text(lack));
    }
    Optional<Solved> solved =
        Candidate.of(format, other, List.of(home))
            .flatMap(each -> each.solve().map(solution -> new Solved(each, solution)));
    return solved
        .map(each -> alternative(name, each.tokensPerSecond(), "bounded by " + bound(each).title()))
        .orElseGet(() -> new Alternative(name, 0, "does not fit"));
  }

  private static String text(Candidate.Lack lack) {
    List<String> parts = new ArrayList<>();
    if (lack.device() > 0) {
      parts.add("the device lacks " + ByteSize.formatUp(lack.device()));
    }
    if (lack.host() > 0) {
      parts.add("the host lacks " + ByteSize.formatUp(lack.host()));
    }
    if (lack.disk() > 0) {
      parts.add("the disk lacks " + ByteSize.formatUp(lack.disk()));
    }
    return String.join(", ", parts);
  }

  private Optional<Alternative> otherSequences(int sequences) {
    return search.solved().stream()
        .filter(each -> each.candidate().design().sequences() == sequences)
        .max(Comparator.comparingDouble(Solved::tokensPerSecond))
        .map(
            each ->
                alternative(
                    sequences + " sequences in flight",
                    each.tokensPerSecond(),
                    "bounded by " + bound(each).title()));
  }

  private Alternative alternative(String name, double tokensPerSecond, String bound) {
    double slower = 1 - tokensPerSecond / best.tokensPerSecond();
    String reason =
        slower > 0.001
            ? "%.0f %% slower, %s".formatted(Math.max(1, 100 * slower), bound)
            : "no faster, " + bound;
    return new Alternative(name, tokensPerSecond, reason);
  }

  private List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    boolean resident = !design.streams() && !design.hasHostExperts();
    if (resident && best.split().device() == design.groups()) {
      warnings.add("the model fits the device: nothing has to be offloaded");
    }
    Row longest = loads.bottleneck();
    if (longest == Row.DISK) {
      long bytes = weights(Tier.DISK).stream().mapToLong(Item::bytes).sum();
      warnings.add(
          "the disk bounds everything, since %s of weights fit neither device nor host and are read in every pass; %s more host memory would spare that"
              .formatted(ByteSize.format(bytes), ByteSize.formatUp(bytes)));
    }
    boolean computesExperts = design.hasHostExperts() && longest == Row.CPU;
    if (longest == Row.EXPERTS_ON_HOST || computesExperts) {
      warnings.add(
          "experts that the host computes bound the pass; faster host memory, or device memory for more of them, would help");
    } else if (longest == Row.CPU || longest == Row.ATTENTION_ON_HOST) {
      warnings.add(
          "attention on the host bounds the pass; faster host memory, or device memory for more of the KV cache, would help");
    }
    if (SHARING_HOST_MEMORY.contains(longest)) {
      warnings.add(
          "host memory is the bottleneck: copies and computing on the host slow each other down");
    }
    return warnings;
  }
}
