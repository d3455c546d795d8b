package dev.offload.planner;

import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes the schedule of each pass: for every layer all micro-batches before the next layer
 * (zig-zag), so that a weight crosses once per pass, and weights requested as early as the ring has
 * room, on into the next pass. Keeps what is in the ring from one pass to the next. Not
 * thread-safe.
 */
public final class ScheduleBuilder {
  private static final long NONE = -1;

  /** A streamed granule on its way through staging and ring. */
  private static final class Transit {
    final Granule granule;
    long stagingOffset = NONE;
    long readTask = NONE;
    long copyTask = NONE;
    long ringOffset = NONE;

    /** The task after which its place in the ring is free. */
    long releaseTask = NONE;

    /** Number of the pass that will use it. */
    final long pass;

    Transit(Granule granule, long pass) {
      this.granule = granule;
      this.pass = pass;
    }

    Work.Located located() {
      return new Work.Located(granule, ringOffset);
    }

    /** What a task that uses the granule waits for, besides the given tasks. */
    List<Long> before(long... others) {
      List<Long> after = new ArrayList<>();
      if (copyTask != NONE) {
        after.add(copyTask);
      }
      for (long other : others) {
        after.add(other);
      }
      return after;
    }
  }

  private final Plan plan;
  private final List<Granule> streamed;
  private final Map<Integer, List<Granule>> byLayer = new TreeMap<>();
  private final int layers;
  private final TaskSizes sizes;
  private final RingAllocator<Transit> ring;
  private final RingAllocator<Transit> staging;

  /** What has been requested but not yet used, in the order of use. */
  private final List<Transit> transits = new ArrayList<>();

  private int nextRequest;

  /** Number of the pass that will use what is requested next. */
  private long requestedPass;

  private long nextId;
  private final long[] kvSlotFree;
  private int nextKvSlot;

  private List<Task> tasks = List.of();
  private PassShape pass;

  /**
   * @param granules all of the plan, in the order of use
   * @param rows format in which rows enter a matrix product on the device
   */
  public ScheduleBuilder(Plan plan, List<Granule> granules, ModelConfig model, DType rows) {
    this.plan = plan;
    this.layers = model.layers().size();
    this.sizes = new TaskSizes(model, plan.computeDType(), rows);
    this.streamed = granules.stream().filter(Granule::isStreamed).toList();
    for (Granule granule : granules) {
      byLayer.computeIfAbsent(granule.layer(), _ -> new ArrayList<>()).add(granule);
    }
    this.ring = new RingAllocator<>(plan.ringBytes());
    this.staging = new RingAllocator<>(plan.stagingBytes());
    this.kvSlotFree = new long[plan.kvRingSlots()];
    Arrays.fill(kvSlotFree, NONE);
  }

  /** The schedule of the next pass. */
  public Schedule next(PassShape shape) {
    pass = shape;
    tasks = new ArrayList<>();
    request();
    enter();
    for (int layer = 0; layer < layers; layer++) {
      attend(layer);
      if (find(layer, UnitId.Kind.ROUTER) == null) {
        feedForward(layer);
      } else {
        mixture(layer);
      }
    }
    long result = head();
    return new Schedule(tasks, result);
  }

  private void enter() {
    Granule projection = find(-1, UnitId.Kind.EMBEDDING);
    Optional<Transit> arrival = Optional.ofNullable(projection).map(this::arrive);
    forEachMicroBatch(
        microBatch -> {
          long upload = add(Lane.H2D, new Work.UploadBatch(microBatch), List.of());
          List<Long> after = arrival.map(a -> a.before(upload)).orElse(List.of(upload));
          add(Lane.GPU, new Work.Embed(microBatch, arrival.map(Transit::located)), after);
        });
    arrival.ifPresent(this::release);
  }

  private void attend(int layer) {
    Granule granule = find(layer, UnitId.Kind.ATTENTION);
    Transit arrival = arrive(granule);
    Map<Integer, Long> attended = new TreeMap<>();
    forEachMicroBatch(
        microBatch -> {
          switch (plan.kvGroups().get(microBatch).home()) {
            case DEVICE ->
                add(
                    Lane.GPU,
                    new Work.Attention(layer, microBatch, -1, arrival.located()),
                    arrival.before());
            case HOST_STREAMED -> attendStreamed(layer, microBatch, arrival);
            case HOST_ATTENDED ->
                attended.put(microBatch, attendOnHost(layer, microBatch, arrival));
          }
        });
    attended.forEach(
        (microBatch, upload) ->
            add(
                Lane.GPU,
                new Work.ProjectOutput(layer, microBatch, arrival.located()),
                List.of(upload)));
    release(arrival);
  }

  private long attendOnHost(int layer, int microBatch, Transit arrival) {
    long project =
        add(Lane.GPU, new Work.Project(layer, microBatch, arrival.located()), arrival.before());
    long down = add(Lane.D2H, new Work.DownloadQueries(layer, microBatch), List.of(project));
    long attend = add(Lane.CPU, new Work.AttendOnHost(layer, microBatch), List.of(down));
    return add(Lane.H2D, new Work.UploadAttended(layer, microBatch), List.of(attend));
  }

  private void attendStreamed(int layer, int microBatch, Transit arrival) {
    int slot = nextKvSlot;
    nextKvSlot = (nextKvSlot + 1) % plan.kvRingSlots();
    List<Long> afterFree = kvSlotFree[slot] == NONE ? List.of() : List.of(kvSlotFree[slot]);
    long load = add(Lane.H2D, new Work.LoadKv(layer, microBatch, slot), afterFree);
    long attend =
        add(
            Lane.GPU,
            new Work.Attention(layer, microBatch, slot, arrival.located()),
            arrival.before(load));
    kvSlotFree[slot] = add(Lane.D2H, new Work.StoreKv(layer, microBatch, slot), List.of(attend));
  }

  private void feedForward(int layer) {
    Granule granule = find(layer, UnitId.Kind.MLP);
    Transit arrival = arrive(granule);
    forEachMicroBatch(
        microBatch ->
            add(
                Lane.GPU,
                new Work.FeedForward(layer, microBatch, arrival.located()),
                arrival.before()));
    release(arrival);
  }

  private void mixture(int layer) {
    Granule router = find(layer, UnitId.Kind.ROUTER);
    Transit routerArrival = arrive(router);
    long route =
        add(Lane.GPU, new Work.Route(layer, routerArrival.located()), routerArrival.before());
    release(routerArrival);
    long down = add(Lane.D2H, new Work.DownloadRouting(layer), List.of(route));
    long regroup = add(Lane.CPU, new Work.Regroup(layer), List.of(down));
    long up = add(Lane.H2D, new Work.UploadRegrouping(layer), List.of(regroup));
    Granule shared = find(layer, UnitId.Kind.SHARED_EXPERT);
    if (shared != null) {
      Transit sharedArrival = arrive(shared);
      add(Lane.GPU, new Work.SharedExpert(layer, sharedArrival.located()), sharedArrival.before());
      release(sharedArrival);
    }
    long collect = add(Lane.GPU, new Work.Collect(layer), List.of(up));
    Granule onHost =
        byLayer.get(layer).stream().filter(Granule::isComputedOnHost).findFirst().orElse(null);
    long computed = onHost == null ? NONE : computeOnHost(onHost, collect);
    for (Granule granule : byLayer.get(layer)) {
      if (granule.kind() == UnitId.Kind.EXPERT && !granule.isComputedOnHost()) {
        Transit arrival = arrive(granule);
        add(Lane.GPU, new Work.Experts(layer, arrival.located()), arrival.before());
        release(arrival);
      }
    }
    if (onHost == null) {
      add(Lane.GPU, new Work.Combine(layer), List.of());
    } else {
      long upload = add(Lane.H2D, new Work.UploadRows(onHost), List.of(computed));
      add(Lane.GPU, new Work.Combine(layer), List.of(upload));
    }
  }

  /** What the CPU does while the device computes the other experts of a layer. */
  private long computeOnHost(Granule experts, long collect) {
    long down = add(Lane.D2H, new Work.DownloadRows(experts), List.of(collect));
    return add(Lane.CPU, new Work.ExpertsOnHost(experts), List.of(down));
  }

  private long head() {
    Optional<Transit> arrival = Optional.ofNullable(find(-1, UnitId.Kind.HEAD)).map(this::arrive);
    add(
        Lane.GPU,
        new Work.Head(arrival.map(Transit::located)),
        arrival.map(Transit::before).orElse(List.of()));
    arrival.ifPresent(this::release);
    List<Long> outputs = new ArrayList<>();
    for (Granule granule : byLayer.get(-1)) {
      if (granule.kind() == UnitId.Kind.OUTPUT) {
        outputs.add(output(granule));
      }
    }
    long last = outputs.getLast();
    if (pass.bestRows() > 0) {
      last = add(Lane.GPU, new Work.BestLogits(), List.of());
    }
    return add(Lane.D2H, new Work.DownloadLogits(), behindStores(last));
  }

  /** A pass is over when the host has its cache too; stores are in order, so the last ones tell. */
  private List<Long> behindStores(long output) {
    List<Long> after = new ArrayList<>(List.of(output));
    Arrays.stream(kvSlotFree).filter(store -> store != NONE).forEach(after::add);
    return after;
  }

  private long output(Granule granule) {
    Transit arrival = arrive(granule);
    long output = add(Lane.GPU, new Work.Output(arrival.located()), arrival.before());
    release(arrival);
    return output;
  }

  /** Makes sure that a granule that does not live on the device has been requested. */
  private Transit arrive(Granule granule) {
    if (!granule.isStreamed()) {
      return new Transit(granule, requestedPass);
    }
    request();
    Transit arrival = transits.getFirst();
    if (!arrival.granule.equals(granule) || arrival.copyTask == NONE) {
      throw new AssertionError("granule " + granule + " is not next in the ring");
    }
    if (granule.isExpanded()) {
      long expand =
          add(
              Lane.GPU,
              new Work.ExpandWeights(granule, arrival.ringOffset),
              List.of(arrival.copyTask));
      arrival.releaseTask = expand;
    }
    return arrival;
  }

  /** The tasks so far were the last to use a granule of this pass. */
  private void release(Transit arrival) {
    if (!arrival.granule.isStreamed()) {
      return;
    }
    if (arrival.releaseTask == NONE) {
      arrival.releaseTask = lastGpuTask();
    }
    transits.remove(arrival);
    request();
  }

  private long lastGpuTask() {
    for (int i = tasks.size() - 1; ; i--) {
      if (tasks.get(i).lane() == Lane.GPU) {
        return tasks.get(i).id();
      }
    }
  }

  /** Requests granules, cyclically in the order of use, as long as staging and ring have room. */
  private void request() {
    boolean progress = !streamed.isEmpty();
    while (progress) {
      progress = requestCopy() || requestRead();
    }
  }

  private boolean requestCopy() {
    Transit next = firstUncopied();
    if (next == null || !ringHasRoom(next)) {
      return false;
    }
    RingAllocator.Place<Transit> place = ring.place(next.granule.storedBytes(), next);
    List<Long> after = new ArrayList<>();
    place.displaced().forEach(displaced -> after.add(displaced.releaseTask));
    if (next.readTask != NONE) {
      after.add(next.readTask);
    }
    next.ringOffset = place.offset();
    next.copyTask =
        add(
            Lane.H2D,
            new Work.CopyWeights(next.granule, next.stagingOffset, next.ringOffset, next.pass),
            after);
    return true;
  }

  private Transit firstUncopied() {
    for (Transit transit : transits) {
      if (transit.copyTask == NONE) {
        return transit;
      }
    }
    return null;
  }

  private boolean ringHasRoom(Transit next) {
    return ring.wouldDisplace(next.granule.storedBytes()).stream()
        .allMatch(displaced -> displaced.releaseTask != NONE);
  }

  private boolean requestRead() {
    if (transits.size() == streamed.size()) {
      return false;
    }
    Granule granule = streamed.get(nextRequest);
    Transit next = new Transit(granule, requestedPass);
    if (granule.home() == Tier.DISK) {
      boolean stagingHasRoom =
          staging.wouldDisplace(granule.storedBytes()).stream()
              .allMatch(displaced -> displaced.copyTask != NONE);
      if (!stagingHasRoom) {
        return false;
      }
      RingAllocator.Place<Transit> place = staging.place(granule.storedBytes(), next);
      next.stagingOffset = place.offset();
      next.readTask =
          add(
              Lane.DISK,
              new Work.ReadWeights(granule, place.offset()),
              place.displaced().stream().map(displaced -> displaced.copyTask).toList());
    }
    transits.add(next);
    nextRequest++;
    if (nextRequest == streamed.size()) {
      nextRequest = 0;
      requestedPass++;
    }
    return true;
  }

  private long add(Lane lane, Work work, List<Long> after) {
    tasks.add(
        new Task(nextId, lane, work, after, sizes.bytes(work, pass), sizes.flops(work, pass)));
    return nextId++;
  }

  private Granule find(int layer, UnitId.Kind kind) {
    for (Granule granule : byLayer.getOrDefault(layer, List.of())) {
      if (granule.kind() == kind) {
        return granule;
      }
    }
    return null;
  }

  private interface MicroBatchStep {
    void add(int microBatch);
  }

  private void forEachMicroBatch(MicroBatchStep step) {
    for (int i = 0; i < pass.microBatches().size(); i++) {
      if (pass.microBatches().get(i).tokens() > 0) {
        step.add(i);
      }
    }
  }
}
