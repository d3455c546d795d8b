package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.profile.Turns.Turn;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.LongFunction;

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

  /** Rows of products that want all cores. */
  private static final int MANY_ROWS = 64;

  private final Device device;
  private final Machine machine;
  private final Disk disk;
  private final boolean deviceIsHost;
  private final Turns turns = new Turns();
  private final Deque<Runnable> opened = new ArrayDeque<>();
  private final ProcessorTurns onDevice;
  private final ProcessorTurns onHost;
  private final List<Long> copySizes;
  private final List<Turn> toDevice;
  private final List<Turn> toHost;
  private final Turn both;
  private final double bothBytes;
  private final Turn beside;
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
   * @param shapes of the model
   * @param load of its passes
   * @param copySizes sizes of copied pieces, the usual one last
   */
  public ModelProbe(
      Device device,
      Device host,
      Machine machine,
      Disk disk,
      Shapes shapes,
      PassLoad load,
      List<Long> copySizes) {
    this.device = device;
    this.machine = machine;
    this.disk = disk;
    this.copySizes = List.copyOf(copySizes);
    deviceIsHost = device == host;
    try {
      onDevice = processor(device, shapes, load);
      onHost = deviceIsHost ? onDevice : processor(host, shapes, load);
      CopyProbe copies = new CopyProbe(device, STREAMED_BYTES);
      opened.push(copies::close);
      toDevice = turns(copies::toDevice);
      toHost = turns(copies::toHost);
      long piece = copySizes.getLast();
      both = turns.add(copies.both(piece));
      bothBytes = copies.bothBytes(piece);
      WeightRing ring =
          new WeightRing(
              device,
              shapes.dtypes().getFirst(),
              Profiler.cut(shapes.sizes()).getLast(),
              MANY_ROWS,
              STREAMED_BYTES);
      opened.push(ring::close);
      BesideProbe products = new BesideProbe(ring, MANY_ROWS);
      IntConsumer copying = copies.toDevice(piece);
      int count = Sampler.countPerSample(copying);
      beside = turns.addSample(() -> products.measure(() -> Sampler.time(copying, count) / count));
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

  /** Measures for so long at least. */
  public HardwareProfile measure(double seconds) {
    turns.measure(seconds);
    Processor computing = onDevice.processor();
    Processor beside = deviceIsHost ? computing : onHost.processor();
    Link link = new Link(fit(toDevice), fit(toHost), bothBytes / both.seconds());
    double readRate = reads.bytes() / read.seconds();
    double most = Math.max(readRate, beside.memoryBytesPerSecond());
    most = Math.max(most, (deviceIsHost ? 2 : 1) * link.bothBytesPerSecond());
    if (System.getenv("DBG") != null) {
      System.err.printf("launch %.2e rows %.3g att %.4g B/s %.4g F/s lost %.2e copy %s beside %.3g read %.3g moved %.3g%n", computing.launchSeconds(), computing.rowBytesPerSecond(), computing.attentionBytesPerSecond(), computing.attentionFlops(), lost.seconds(), link, this.beside.seconds()/toDevice.getLast().seconds(), readRate, reads.bytes() / moved.seconds());
      computing.products().forEach(x -> System.err.printf("  %dx%d r%d %.1f us %.1f GB/s%n", x.outputs(), x.inputs(), x.rows(), 1e6*x.seconds(), 2e-9*x.outputs()*x.inputs()/x.seconds()));
    }
    double copyCores =
        deviceIsHost
            ? BesideProbe.copyCores(
                machine.cores(), toDevice.getLast().seconds(), this.beside.seconds())
            : 0;
    return new HardwareProfile(
        machine.name(),
        machine.title(),
        computing,
        device.facts().memoryBytes(),
        link,
        beside,
        machine.memoryBytes(),
        new Sharing(
            most,
            Math.min(most, reads.bytes() / moved.seconds()),
            machine.cores(),
            copyCores,
            lost.seconds(),
            deviceIsHost),
        disk,
        List.of());
  }

  private HardwareProfile.CopyRate fit(List<Turn> copies) {
    return CopyProbe.fit(copySizes, copies.stream().map(Turn::seconds).toList());
  }

  /** Frees everything. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      opened.pop().run();
    }
  }
}
