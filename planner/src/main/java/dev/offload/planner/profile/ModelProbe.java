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
import dev.offload.planner.profile.Turns.Turn;
import dev.offload.tensors.DType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
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

  /** What a {@link KeptProbe} takes. */
  private record Kept(Turn cold, Turn again, Turn copies, Turn multipliedCopies) {
    double share() {
      return KeptProbe.kept(
          cold.seconds(), again.seconds(), copies.seconds(), multipliedCopies.seconds());
    }
  }

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
  private final List<Kept> kept;
  private final List<Turn> beside;
  private final HostReads reads;
  private final Turn read;
  private final Turn moved;
  private final Turn lost;

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
      products = new BesideProbe(products(dtype, load), load.decode().sequences());
      beside = deviceIsHost ? beside(copies) : List.of();
      kept =
          streamed.share() > 0
              ? streamed.pieces().stream().map(size -> kept(dtype, load, size)).toList()
              : List.of();
      reads = new HostReads(host, machine.cores(), STREAMED_BYTES);
      opened.push(reads::close);
      read = turns.add(reads::read);
      moved = turns.add(reads::copy);
      RowProbe waited = new RowProbe(host, WAITED_ROWS);
      opened.push(waited::close);
      lost = turns.addSample(waited::secondsLost);
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
            load.rows().keySet().iterator().next(),
            load.decode().sequences(),
            STREAMED_BYTES);
    opened.push(ring::close);
    return ring;
  }

  private List<Turn> beside(CopyProbe copies) {
    return streamed.pieces().stream()
        .map(
            size -> {
              IntConsumer copying = Sampler.repeating(copies.stream(), () -> copies.toDevice(size));
              int count = BESIDE_SAMPLES * Sampler.countPerSample(copying);
              return turns.addSample(
                  () -> products.measure(() -> Sampler.time(copying, count) / count));
            })
        .toList();
  }

  private Kept kept(DType dtype, PassLoad load, long size) {
    KeptProbe probe = new KeptProbe(device, dtype, size, load.decode().sequences(), STREAMED_BYTES);
    opened.push(probe::close);
    return new Kept(
        turns.add(probe.stream(), probe::cold),
        turns.add(probe.stream(), probe::again),
        turns.add(probe.stream(), probe::copy),
        turns.add(probe.stream(), probe::multipliedCopy));
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
    List<Double> cores = IntStream.range(0, pieces.size()).mapToObj(this::copyCores).toList();
    Link link = new Link(rate(toDevice, cores), rate(toHost, cores), bothBytes / both.seconds());
    products.setCachedShare(streamed.share() * keptShare(usual));
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
            lost.seconds(),
            deviceIsHost),
        disk,
        List.of());
  }

  private double copyCores(int size) {
    return deviceIsHost
        ? BesideProbe.copyCores(
            machine.cores(), toDevice.get(size).seconds(), beside.get(size).seconds())
        : 0;
  }

  private double keptShare(int size) {
    return kept.isEmpty() ? 0 : kept.get(size).share();
  }

  private CopyRate rate(List<Turn> copies, List<Double> cores) {
    return CopyProbe.rate(
        streamed.pieces(),
        copies.stream().map(Turn::seconds).toList(),
        cores,
        IntStream.range(0, streamed.pieces().size()).mapToObj(this::keptShare).toList());
  }

  /** Frees everything. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      opened.pop().run();
    }
  }
}
