package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Stream;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.StreamProbe.Found;
import dev.offload.planner.profile.Turns.Turn;
import dev.offload.tensors.DType;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.IntConsumer;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * What a machine takes just now for the passes of one model, measured again and again: unlike a
 * {@link Profiler} it keeps what it allocates, and measures all things in turn. Owns its buffers,
 * not the devices. Not thread-safe.
 */
public final class ModelProbe implements AutoCloseable {
  /** Memory gone through, so that no cache holds it. */
  private static final long STREAMED_BYTES = 96L << 20;

  /** Of an activation that takes some tenths of a millisecond. */
  private static final int WAITED_ROWS = 64;

  /** Times that a layer's attention is waited for in a sample. */
  private static final int WAITS_OF_SAMPLE = 32;

  /** Weights that are streamed, and what a product with them takes from memory and from caches. */
  private record Streaming(StreamProbe probe, Turn cold, Turn again) {}

  /** Copies take so many times as long as elsewhere, since products go on for a while. */
  private static final int BESIDE_SAMPLES = 4;

  private final Device device;
  private final Machine machine;
  private final Disk disk;
  private final boolean deviceIsHost;
  private final Turns turns = new Turns();
  private final Deque<Runnable> opened = new ArrayDeque<>();
  private final ProcessorTurns onDevice;
  private final ProcessorTurns onHost;
  private final Streamed streamed;
  private final List<Turn> toDevice;
  private final List<Turn> toHost;
  private final Turn both;
  private final double bothBytes;
  private final BesideProbe products;
  private final Map<Long, Streaming> streaming;
  private final Map<Long, Turn> beside;
  private final HostReads reads;
  private final Turn read;
  private final Turn moved;
  private final DoubleSupplier handOver;

  /**
   * Allocates, and runs everything for a while.
   *
   * @param device the device of the lane {@code GPU}
   * @param host the CPU backend's device; the same object if that is the device
   * @param disk what is not measured
   * @param dtype format of the weights
   * @param heads of attention
   * @param load of the passes
   * @param streamed what the passes stream to the device
   */
  public ModelProbe(
      Device device,
      Device host,
      Machine machine,
      Disk disk,
      DType dtype,
      Heads heads,
      PassLoad load,
      Streamed streamed) {
    this.device = device;
    this.machine = machine;
    this.disk = disk;
    this.streamed = streamed;
    deviceIsHost = device == host;
    try {
      onDevice = processor(device, dtype, heads, load);
      onHost = deviceIsHost ? onDevice : processor(host, dtype, heads, load);
      CopyProbe copies = new CopyProbe(device, STREAMED_BYTES, streamed.ringBytes());
      opened.push(copies::close);
      toDevice = turns(copies.stream(), copies::toDevice);
      toHost = turns(copies.stream(), copies::toHost);
      both = turns.add(copies.both(streamed.usualPiece()));
      bothBytes = copies.bothBytes(streamed.usualPiece());
      products = new BesideProbe(products(dtype, load), load.usualRows());
      beside = deviceIsHost ? beside(copies) : Map.of();
      streaming = streaming(dtype, load);
      reads = new HostReads(host, machine.cores(), STREAMED_BYTES);
      opened.push(reads::close);
      read = turns.add(reads::read);
      moved = turns.add(reads::copy);
      handOver = load.attendsOnHost() ? attended(host, heads, load) : activated(host);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private ProcessorTurns processor(Device of, DType dtype, Heads heads, PassLoad load) {
    boolean again = load.isInParts() || streamed.share() > 0;
    return new ProcessorTurns(of, dtype, heads, load, again, STREAMED_BYTES, turns, opened::push);
  }

  private List<Turn> turns(Stream stream, LongConsumer copying) {
    return streamed.pieces().stream()
        .map(size -> turns.add(stream, () -> copying.accept(size)))
        .toList();
  }

  private WeightRing products(DType dtype, PassLoad load) {
    WeightRing ring =
        new WeightRing(
            device,
            dtype,
            load.products().keySet().iterator().next(),
            load.usualRows(),
            STREAMED_BYTES);
    opened.push(ring::close);
    return ring;
  }

  /** Copies of what is no weights; those are measured as they are streamed. */
  private Map<Long, Turn> beside(CopyProbe copies) {
    Map<Long, Turn> all = new HashMap<>();
    for (long size : streamed.pieces()) {
      if (!streamed.weights().contains(size)) {
        IntConsumer copying = Sampler.repeating(copies.stream(), () -> copies.toDevice(size));
        int count = BESIDE_SAMPLES * Sampler.countPerSample(copying);
        all.put(
            size,
            turns.addSample(() -> products.measure(() -> Sampler.time(copying, count) / count)));
      }
    }
    return all;
  }

  private Map<Long, Streaming> streaming(DType dtype, PassLoad load) {
    Map<Long, Streaming> all = new HashMap<>();
    for (long piece : streamed.weights()) {
      StreamProbe probe =
          new StreamProbe(device, dtype, piece, streamed, load.usualRows(), STREAMED_BYTES);
      opened.push(probe::close);
      Turn cold = turns.add(probe.stream(), probe::cold);
      Turn again = turns.add(probe.stream(), probe::again);
      turns.addSample(probe::sample);
      all.put(piece, new Streaming(probe, cold, again));
    }
    return all;
  }

  private DoubleSupplier activated(Device host) {
    RowProbe probe = new RowProbe(host, WAITED_ROWS);
    opened.push(probe::close);
    return turns.addSample(probe::secondsLost)::seconds;
  }

  /**
   * Attention is so short that threads which wait for it have not gone to sleep, so less is lost
   * than with an activation.
   */
  private DoubleSupplier attended(Device host, Heads heads, PassLoad load) {
    AttentionProbe probe =
        new AttentionProbe(
            host, heads, load.decode().sequences(), 1, load.decode().context(), STREAMED_BYTES);
    opened.push(probe::close);
    Turn waited =
        turns.addSample(
            () -> {
              double sum = 0;
              for (int i = 0; i < WAITS_OF_SAMPLE; i++) {
                products.multiply();
                sum += probe.secondsWaitedFor();
              }
              return sum / WAITS_OF_SAMPLE;
            });
    return () -> Math.max(0, waited.seconds() - onHost.decodeSeconds());
  }

  /** What something says that is done while the device multiplies. */
  public double besideProducts(DoubleSupplier something) {
    return products.measure(something);
  }

  /** Measures for so long at least. */
  public HardwareProfile measure(double seconds) {
    turns.measure(seconds);
    Processor computing = onDevice.processor();
    Processor besideDevice = deviceIsHost ? computing : onHost.processor();
    List<Long> pieces = streamed.pieces();
    int usual = pieces.indexOf(streamed.usualPiece());
    Map<Long, Found> found = new HashMap<>();
    streaming.forEach((piece, each) -> found.put(piece, each.probe().take()));
    List<Double> cores =
        IntStream.range(0, pieces.size())
            .mapToObj(i -> copyCores(i, Optional.ofNullable(found.get(pieces.get(i)))))
            .toList();
    List<Double> kept =
        pieces.stream().map(piece -> kept(piece, Optional.ofNullable(found.get(piece)))).toList();
    List<Double> none = Collections.nCopies(pieces.size(), 0.0);
    Link link =
        new Link(
            rate(toDevice, cores, kept), rate(toHost, cores, none), bothBytes / both.seconds());
    double readRate = reads.bytes() / read.seconds();
    double most = Math.max(readRate, besideDevice.memoryBytesPerSecond());
    most = Math.max(most, (deviceIsHost ? 2 : 1) * link.bothBytesPerSecond());
    return new HardwareProfile(
        machine.name(),
        machine.title(),
        computing,
        device.facts().memoryBytes(),
        link,
        besideDevice,
        machine.memoryBytes(),
        new Sharing(
            most,
            Math.min(most, reads.bytes() / moved.seconds()),
            machine.cores(),
            cores.get(usual),
            handOver.getAsDouble(),
            deviceIsHost),
        disk,
        List.of());
  }

  private double copyCores(int size, Optional<Found> found) {
    if (!deviceIsHost) {
      return 0;
    }
    double alone = toDevice.get(size).seconds();
    double slowDown =
        found
            .map(each -> each.slowDown(alone))
            .orElseGet(() -> beside.get(streamed.pieces().get(size)).seconds() / alone);
    return BesideProbe.copyCores(machine.cores(), slowDown);
  }

  private double kept(long piece, Optional<Found> found) {
    return found
        .map(
            each ->
                each.kept(
                    streaming.get(piece).cold().seconds(), streaming.get(piece).again().seconds()))
        .orElse(0.0);
  }

  private CopyRate rate(List<Turn> copies, List<Double> cores, List<Double> kept) {
    return CopyProbe.rate(
        streamed.pieces(), copies.stream().map(Turn::seconds).toList(), cores, kept);
  }

  /** Frees everything. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      opened.pop().run();
    }
  }
}
