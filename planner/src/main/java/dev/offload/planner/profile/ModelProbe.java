package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.profile.Turns.Turn;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.IntConsumer;
import java.util.function.LongFunction;
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
  private final List<Long> copySizes;
  private final long usualCopy;
  private final List<Turn> toDevice;
  private final List<Turn> toHost;
  private final Turn both;
  private final double bothBytes;
  private final BesideProbe products;
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
   * @param shapes of the model, first what most weights are in
   * @param load of its passes
   * @param copySizes sizes of copied pieces, ascending
   * @param usualCopy that of most of what is copied, one of them
   */
  public ModelProbe(
      Device device,
      Device host,
      Machine machine,
      Disk disk,
      Shapes shapes,
      PassLoad load,
      List<Long> copySizes,
      long usualCopy) {
    this.device = device;
    this.machine = machine;
    this.disk = disk;
    this.copySizes = List.copyOf(copySizes);
    this.usualCopy = usualCopy;
    deviceIsHost = device == host;
    try {
      onDevice = processor(device, shapes, load);
      onHost = deviceIsHost ? onDevice : processor(host, shapes, load);
      CopyProbe copies = new CopyProbe(device, STREAMED_BYTES);
      opened.push(copies::close);
      toDevice = turns(copies::toDevice);
      toHost = turns(copies::toHost);
      both = turns.add(copies.both(usualCopy));
      bothBytes = copies.bothBytes(usualCopy);
      products = new BesideProbe(products(shapes, load), load.decode().sequences());
      beside = deviceIsHost ? beside(copies) : List.of();
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

  private ProcessorTurns processor(Device of, Shapes shapes, PassLoad load) {
    return new ProcessorTurns(of, shapes, load, STREAMED_BYTES, turns, opened::push);
  }

  private List<Turn> turns(LongFunction<IntConsumer> copying) {
    return copySizes.stream().map(size -> turns.add(copying.apply(size))).toList();
  }

  private WeightRing products(Shapes shapes, PassLoad load) {
    WeightRing ring =
        new WeightRing(
            device,
            shapes.dtypes().getFirst(),
            Profiler.cut(shapes.sizes()).getFirst(),
            load.decode().sequences(),
            STREAMED_BYTES);
    opened.push(ring::close);
    return ring;
  }

  private List<Turn> beside(CopyProbe copies) {
    return copySizes.stream()
        .map(
            size -> {
              IntConsumer copying = copies.toDevice(size);
              int count = BESIDE_SAMPLES * Sampler.countPerSample(copying);
              return turns.addSample(
                  () -> products.measure(() -> Sampler.time(copying, count) / count));
            })
        .toList();
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
    List<Double> cores = IntStream.range(0, copySizes.size()).mapToObj(this::copyCores).toList();
    Link link = new Link(rate(toDevice, cores), rate(toHost, cores), bothBytes / both.seconds());
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
            cores.get(copySizes.indexOf(usualCopy)),
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

  private CopyRate rate(List<Turn> copies, List<Double> cores) {
    return CopyProbe.rate(copySizes, copies.stream().map(Turn::seconds).toList(), cores);
  }

  /** Frees everything. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      opened.pop().run();
    }
  }
}
