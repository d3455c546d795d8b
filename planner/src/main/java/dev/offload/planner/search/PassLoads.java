package dev.offload.planner.search;

import dev.offload.planner.Lane;
import dev.offload.planner.PassShape;
import dev.offload.planner.cost.AttentionLoad;
import dev.offload.planner.cost.AttentionShape;
import dev.offload.planner.cost.Compute;
import dev.offload.planner.cost.Cost;
import dev.offload.planner.cost.ModuleCosts;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How long each lane works in a pass, as a linear function of what lives where. {@link #resident}
 * is the pass with everything on the device; to it come changes in proportion to the share of each
 * class of units, and of the cache, that is elsewhere. Times of single modules come from {@link
 * ModuleCosts}.
 */
final class PassLoads {
  /** Copies of at least a mebibyte run at full speed; larger ones only lengthen the ring. */
  static final long GRANULE_BYTES = 4L << 20;

  private static final String EXPERTS = "experts";

  /** Input of a row besides its embedding: rotations, position, slot. */
  private static final double ROW_INPUT_BYTES = 512;

  /**
   * What changes if all units of a class leave the device.
   *
   * @param toHost streamed from host memory
   * @param toDisk read from disk and streamed
   */
  record Changes(Loads toHost, Loads toDisk) {}

  private final PlannedModel model;
  private final ModuleCosts costs;
  private final HardwareProfile machine;
  private final Design design;
  private final PassFlow flow;
  private final double rows;
  private final Loads resident = new Loads();
  private final List<Changes> classes = new ArrayList<>();
  private final Loads hostExperts = new Loads();
  private final Loads streamedCache = new Loads();
  private final Loads attendedCache = new Loads();
  private final OperationTotals operations = new OperationTotals();

  /** Seconds by which a second of copying lengthens the host's experts, and they it. */
  private final double slowing;

  /** Device time of the layers with experts, the experts themselves left out. */
  private double besideExperts;

  PassLoads(
      PlannedModel model,
      ModuleCosts costs,
      HardwareProfile machine,
      Design design,
      PassFlow flow) {
    this.model = model;
    this.costs = costs;
    this.machine = machine;
    this.design = design;
    this.flow = flow;
    this.rows = flow.load().rows();
    this.slowing = design.hasHostExperts() ? leastSlowing() : 0;
    enterAndLeave();
    attend();
    for (UnitClass each : model.classes()) {
      classes.add(new Changes(new Loads(), new Loads()));
      compute(each);
      stream(each, classes.getLast());
      if (each.experts() > 0) {
        if (design.hasHostExperts()) {
          computeOnHost(each);
        }
        copyAhead(each);
      }
    }
    wait(resident, besideExperts);
    runAhead();
  }

  /** With everything on the device. */
  Loads resident() {
    return resident;
  }

  /** Changes per class of units, in the order of the model's classes. */
  List<Changes> classes() {
    return classes;
  }

  /** What changes if the host computes all experts, which live there. */
  Loads hostExperts() {
    return hostExperts;
  }

  /** What changes if the whole cache is streamed from the host. */
  Loads streamedCache() {
    return streamedCache;
  }

  /** What changes if the host attends to the whole cache. */
  Loads attendedCache() {
    return attendedCache;
  }

  /** What operations take, everything on the device. */
  OperationTotals operations() {
    return operations;
  }

  /** Between two passes inputs are filled in, which no lane is beside. */
  double between() {
    return costs.prepare(inputBytes()).seconds();
  }

  private double inputBytes() {
    return rows * (4.0 * model.embeddingWidth() + ROW_INPUT_BYTES);
  }

  private void enterAndLeave() {
    Cost up = costs.toDevice(inputBytes(), design.groups());
    Cost down = costs.toHost(4.0 * PassShape.GREEDY_NUMBERS * flow.generated(), 1);
    add(resident, Lane.H2D, up);
    add(resident, Lane.D2H, down);
    deviceWaits(resident, up.seconds() + down.seconds());
    onDevice(
        "largest logits", costs.device().movement(4 * flow.generated() * model.vocabulary()), true);
    onDevice("embedding", costs.device().movement(rows * 8.0 * model.hidden()), true);
  }

  private void attend() {
    AttentionLoad part = flow.load().times(1.0 / design.groups());
    Compute onDevice = Compute.NONE;
    Compute onHost = Compute.NONE;
    for (Map.Entry<AttentionShape, Integer> each : model.attention().entrySet()) {
      double modules = (double) each.getValue() * design.groups();
      onDevice = onDevice.plus(costs.device().attend(each.getKey(), part).times(modules));
      onHost = onHost.plus(costs.host().attend(each.getKey(), part).times(modules));
    }
    onDevice("attention", onDevice, false);
    besideExperts += onDevice.seconds() * mixtureShare();
    streamCache();
    attendOnHost(onDevice, onHost);
  }

  private double mixtureShare() {
    return (double) model.mixtureLayers() / model.layers();
  }

  /** The blocks in use of each layer come, and those that were written go back. */
  private void streamCache() {
    AttentionLoad load = flow.load();
    double tokenBytes = (double) model.sizes().kvBlockBytes() / model.sizes().kvBlockTokens();
    double blockTokens = model.sizes().kvBlockTokens();
    double sequences = Math.max(1, load.sequences() + flow.finished());
    double cached = load.sequences() * load.context() + load.promptTokens() + flow.finished();
    double written = load.sequences() * blockTokens + load.promptTokens() + flow.finished();
    double pieces = sequences * model.layers();
    Cost arriving = costs.toDevice(cached * tokenBytes, pieces);
    add(streamedCache, Lane.H2D, arriving);
    // Nothing of the first layer's arrives before the pass begins.
    deviceWaits(streamedCache, arriving.seconds() / model.layers());
    add(streamedCache, Lane.D2H, costs.toHost(written * tokenBytes, pieces));
  }

  private void attendOnHost(Compute onDevice, Compute onHost) {
    double pieces = (double) model.layers() * design.groups();
    Cost queries = costs.toHost(rows * model.queryBytes(), pieces);
    Cost attended = costs.toDevice(rows * model.attendedBytes(), pieces);
    Cost attention = costs.onHost(onHost).plus(costs.waitedFor(Compute.NONE).times(pieces));
    add(attendedCache, Lane.D2H, queries);
    add(attendedCache, Lane.H2D, attended);
    add(attendedCache, Lane.CPU, attention);
    add(attendedCache, Lane.GPU, costs.onDevice(onDevice).times(-1));
    // Where the device's cores are the host's, nothing is done while the only micro-batch is waited
    // for.
    boolean idles = machine.sharing().deviceIsHost() && design.groups() == 1;
    double handOvers = idles ? model.layers() : 0;
    attendedCache.add(Row.CORES, handOvers * machine.sharing().handOverSeconds());
    double chain = attention.seconds() + (queries.seconds() + attended.seconds()) / design.groups();
    attendedCache.add(Row.ATTENTION_ON_HOST, chain);
    wait(attendedCache, (chain - onDevice.seconds()) * mixtureShare());
    double beside = (1 - 1.0 / design.groups()) * projectionSeconds();
    waitForHost(attendedCache, Math.max(0, chain - beside) - onDevice.seconds());
  }

  private double projectionSeconds() {
    return model.classes().stream()
        .filter(each -> each.kind() == UnitId.Kind.ATTENTION)
        .mapToDouble(each -> products(each, rows, design.groups()).seconds())
        .sum();
  }

  private void compute(UnitClass each) {
    switch (each.kind()) {
      case EMBEDDING -> onDevice("embedding", products(each, rows, 1), true);
      case ATTENTION -> {
        Compute work = products(each, rows, design.groups());
        onDevice("projections", work, false);
        resident.add(Row.ATTENTION_ON_HOST, work.seconds() / design.groups());
        besideExperts += work.seconds() * mixtureShare();
      }
      case MLP -> onDevice("feed-forward", products(each, rows, design.groups()), true);
      case ROUTER -> route(each);
      case SHARED_EXPERT -> {
        Compute work = products(each, rows, 1);
        onDevice("shared experts", work, true);
        besideExperts += work.seconds();
      }
      case EXPERT -> {
        Compute work = experts(each);
        onDevice(EXPERTS, work, true);
        wait(resident, work.seconds());
        wait(classes.getLast().toHost(), -work.seconds());
        wait(classes.getLast().toDisk(), -work.seconds());
        wait(hostExperts, -work.seconds());
      }
      case HEAD, OUTPUT -> onDevice("output", products(each, flow.generated(), 1), true);
    }
  }

  private Compute products(UnitClass each, double of, int parts) {
    return costs
        .device()
        .products(each.matrices(), of / parts)
        .times((double) each.count() * parts);
  }

  /** Choosing experts and the way of the choice to the host and back, for which a layer waits. */
  private void route(UnitClass each) {
    Compute work = products(each, rows, 1);
    onDevice("routers", work, true);
    double pairs = rows * model.classes().stream().mapToInt(UnitClass::perToken).max().orElse(0);
    Cost down = costs.toHost(4 * pairs, 1).times(each.count());
    Cost sort = costs.waiting(costs.onOneCore(12 * pairs)).times(each.count());
    Cost up = costs.toDevice(8 * pairs, 2).times(each.count());
    add(resident, Lane.D2H, down);
    add(resident, Lane.CPU, sort);
    add(resident, Lane.H2D, up);
    double waiting = down.seconds() + sort.seconds() + up.seconds();
    deviceWaits(resident, waiting);
    besideExperts += work.seconds() + waiting;
  }

  /** All experts of a class where they are resident, with collecting and adding up of rows. */
  private Compute experts(UnitClass each) {
    double layers = (double) each.count() / each.experts();
    double pairBytes = rows * each.perToken() * model.hidden() * 8.0;
    return costs
        .device()
        .experts(each.matrices(), each.experts(), each.rows(rows), 1)
        .plus(costs.device().movement(pairBytes))
        .plus(costs.device().movement(pairBytes))
        .times(layers);
  }

  private void stream(UnitClass each, Changes changes) {
    double together = together(each);
    double used = each.experts() > 0 ? each.rows(rows).used(together) : 1;
    double pieces = each.count() / together;
    Cost host = costs.toDevice((double) each.totalBytes() * used, pieces * used);
    arrive(changes.toHost(), host);
    double stored = (double) each.count() * each.size().rowMajorBytes();
    arrive(changes.toDisk(), costs.toDevice(stored * used, pieces * used));
    Cost read = costs.read(stored);
    add(changes.toDisk(), Lane.DISK, read);
    changes.toDisk().add(Row.READS_AHEAD, read.seconds());
    if (each.experts() > 0) {
      slowHost(changes.toHost(), host.seconds());
      slowHost(changes.toDisk(), host.seconds());
      double launches = 2.0 * each.matrices().size() * pieces * used;
      Compute more = new Compute(launches * machine.device().launchSeconds(), 0, 0);
      onDevice(changes.toHost(), more);
      onDevice(changes.toDisk(), more);
    }
    if (each.kind() == UnitId.Kind.OUTPUT) {
      // Arrives when all else is done, but for what the ring holds.
      double computed = products(each, flow.generated(), 1).seconds();
      deviceWaits(changes.toHost(), Math.max(0, host.seconds() - computed));
      deviceWaits(changes.toDisk(), Math.max(0, read.seconds() - computed));
    }
    if (each.size().packed()) {
      double moved = stored + each.totalBytes();
      onDevice(changes.toDisk(), costs.device().packing(moved / each.count()).times(each.count()));
    }
  }

  /** Units that are copied together. */
  private double together(UnitClass each) {
    boolean grouped = each.experts() > 0 || each.kind() == UnitId.Kind.OUTPUT;
    long limit = Math.min(GRANULE_BYTES, design.piece());
    return grouped ? Math.max(1, limit / Math.max(1, each.pieceBytes())) : 1;
  }

  /**
   * What the ring holds is copied before it is known which experts are needed; which of these are
   * is counted where they are streamed.
   */
  private void copyAhead(UnitClass each) {
    double streamed = each.experts() - design.leastHostExperts();
    double ring = design.ringBytes() - design.piece();
    double ahead = Math.min(ring, streamed * each.imageBytes());
    double layers = (double) each.count() / each.experts();
    if (design.moves(each)) {
      double unneeded = 1 - each.rows(rows).used(together(each));
      Cost copies = costs.toDevice(unneeded * ahead * layers, unneeded * layers);
      arrive(resident, copies);
      // Where copies that the host slows down take all the time, there is none for these.
      resident.add(Row.COPIES_BESIDE_HOST, -copies.seconds());
    }
  }

  private void arrive(Loads change, Cost copy) {
    add(change, Lane.H2D, copy);
    arriveLater(change, copy.seconds());
  }

  private void arriveLater(Loads change, double seconds) {
    if (design.streams() && model.mixtureLayers() > 0) {
      change.add(Row.EXPERTS_ARRIVING, seconds);
    }
  }

  /** The rows of a host's experts go there and what they give comes back. */
  private void computeOnHost(UnitClass each) {
    double layers = (double) each.count() / each.experts();
    Compute onDevice =
        costs.device().experts(each.matrices(), each.experts(), each.rows(rows), 0.5).times(layers);
    double rowNumbers = rows * each.perToken() * model.hidden() * layers;
    Cost down = costs.toHost(rowNumbers * model.sizes().computeDType().bytes(), layers);
    Cost up = costs.toDevice(4 * rowNumbers, layers);
    Cost computed = onHost(each);
    add(hostExperts, Lane.CPU, computed);
    add(hostExperts, Lane.D2H, down);
    add(hostExperts, Lane.H2D, up);
    waitForHost(hostExperts, down.seconds() + computed.seconds() + up.seconds());
    hostExperts.add(Row.EXPERTS_BESIDE_COPIES, slowing * computed.seconds());
    arriveLater(hostExperts, Loads.slowing(Lane.CPU, computed, machine));
    onDevice(hostExperts, onDevice.times(-1));
  }

  /** All experts of a class where the host computes them. */
  private Cost onHost(UnitClass each) {
    double layers = (double) each.count() / each.experts();
    Compute work = costs.host().experts(each.matrices(), each.experts(), each.rows(rows), 1);
    return costs.onHost(work.times(layers)).plus(costs.waitedFor(Compute.NONE).times(layers));
  }

  private double leastSlowing() {
    return model.classes().stream()
        .filter(each -> each.experts() > 0)
        .map(this::onHost)
        .mapToDouble(each -> Loads.slowing(Lane.CPU, each, machine) / each.seconds())
        .min()
        .orElse(0);
  }

  /**
   * While the host computes experts of a layer, the device does nothing but its other experts.
   * Copies beside these seconds do not slow the host down.
   */
  private void waitForHost(Loads loads, double seconds) {
    if (design.hasHostExperts()) {
      loads.add(Row.EXPERTS_ON_HOST, seconds).add(Row.EXPERTS_AT_ONCE, seconds);
      loads.add(Row.EXPERTS_BESIDE_COPIES, (1 - slowing) * seconds);
    }
  }

  /** Experts that arrive meanwhile slow the host down. */
  private void slowHost(Loads loads, double seconds) {
    if (design.hasHostExperts()) {
      loads.add(Row.EXPERTS_AT_ONCE, slowing * seconds);
    }
  }

  /** Work of the device that is there wherever things live. */
  private void onDevice(String name, Compute work, boolean besideAttention) {
    operations.add(name, work);
    add(resident, Lane.GPU, costs.onDevice(work));
    waitForHost(resident, name.equals(EXPERTS) ? 0 : work.seconds());
    if (besideAttention) {
      resident.add(Row.ATTENTION_ON_HOST, work.seconds());
    }
  }

  private void onDevice(Loads change, Compute work) {
    add(change, Lane.GPU, costs.onDevice(work));
    change.add(Row.ATTENTION_ON_HOST, work.seconds());
  }

  /** Copies and reads of experts wait for so much time of the device, but for {@link #runAhead}. */
  private void wait(Loads loads, double seconds) {
    arriveLater(loads, seconds);
    if (design.streams() && model.mixtureLayers() > 0) {
      loads.add(Row.READS_AHEAD, seconds);
    }
  }

  /**
   * Copies run ahead by what the ring holds, reads by what staging holds; those in the ring may all
   * come from the host. One piece is in use, or too large for what is left at the end.
   */
  private void runAhead() {
    double piece = design.piece();
    double copied = (design.ringBytes() - piece) / machine.link().toDevice().bytesPerSecond();
    resident.add(Row.EXPERTS_ARRIVING, -copied * model.mixtureLayers());
    slowHost(resident, -copied * model.mixtureLayers());
    if (design.disk()) {
      double read = (design.stagingBytes() - piece) / machine.disk().readBytesPerSecond();
      resident.add(Row.READS_AHEAD, -read * model.mixtureLayers());
    }
  }

  /** Nothing goes on beside these seconds on the device, whatever it waits for otherwise. */
  private void deviceWaits(Loads loads, double seconds) {
    loads.add(Row.GPU, seconds).add(Row.ATTENTION_ON_HOST, seconds);
    waitForHost(loads, seconds);
  }

  private void add(Loads loads, Lane lane, Cost cost) {
    loads.add(lane, cost, machine);
    if (lane == Lane.H2D) {
      loads.add(Row.EXPERTS_BESIDE_COPIES, slowing * cost.seconds());
    }
  }
}
