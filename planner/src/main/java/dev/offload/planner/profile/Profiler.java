package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Stream;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Quantity;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.LongConsumer;

/**
 * Measures a machine with the devices that the engine would use, each thing alone and then two
 * lanes at a time. Allocates at most about three times {@link Effort#streamedBytes} of device and
 * of pinned memory at a time and gives all of it back. Used by one thread, with nothing else going
 * on.
 */
public final class Profiler {
  /** Of the disk's room that is used at most. */
  private static final int DISK_SHARE = 4;

  /** Rows of an activation that takes some tenths of a millisecond. */
  private static final int WAITED_ROWS = 64;

  /** As passes have them. */
  private static final int READERS = LaneQueue.READS.atATime();

  /** That each reader reads before it ends: passes' readers go on. */
  private static final int UNITS_PER_READER = 4;

  /** How long is read to see how many cores that takes, whose clock is coarse. */
  private static final double READING_SECONDS = 0.3;

  private static final double TOGETHER_SAMPLES = 2.5;

  private final Device device;
  private final Device host;
  private final Machine machine;
  private final Shapes shapes;
  private final Effort effort;
  private final Consumer<String> progress;
  private final Sampler sampler;
  private final boolean deviceIsHost;
  private final List<Figure> figures = new ArrayList<>();
  private final List<Assumption> assumptions = new ArrayList<>();
  private final List<Together> together = new ArrayList<>();

  /**
   * @param device the device of the lane {@code GPU}
   * @param host the CPU backend's device; the same object if that is the device
   * @param progress told what is measured next
   */
  public Profiler(
      Device device,
      Device host,
      Machine machine,
      Shapes shapes,
      Effort effort,
      Consumer<String> progress) {
    this.device = device;
    this.host = host;
    this.machine = machine;
    this.shapes = shapes;
    this.effort = effort;
    this.progress = progress;
    this.sampler = new Sampler(effort.sampleSeconds());
    this.deviceIsHost = device == host;
  }

  /**
   * Measures everything.
   *
   * @throws IOException if the temporary file cannot be written or read past the page cache
   */
  public Profiling measure() throws IOException {
    long begin = System.nanoTime();
    progress.accept("matrix products");
    Processor onDevice = processor("of the device", device, cut(shapes.sizes()));
    progress.accept("copies");
    Link link = link();
    Processor onHost = onDevice;
    if (!deviceIsHost) {
      progress.accept("the host's cores");
      onHost = processor("of the host", host, cut(shapes.sizes().subList(0, 1)));
    }
    progress.accept("host memory");
    double hostReads;
    double coreMoves;
    try (HostReads reads = new HostReads(host, machine.cores(), effort.streamedBytes())) {
      hostReads = reads.bytes() / leastOfTwo(reads::read);
      coreMoves = reads.bytes() / leastOfTwo(reads::copy);
    }
    figures.add(
        new Figure("host memory", "read by all cores", hostReads, Quantity.BYTES_PER_SECOND));
    figures.add(
        new Figure("host memory", "copied by one core", coreMoves, Quantity.BYTES_PER_SECOND));
    double copyCores = link.toDevice().pieces().getLast().cores();
    Disk disk = diskAndLanesTogether(cut(shapes.sizes()).getLast(), copyCores);
    double most = hostMemoryRate(hostReads, onHost, link);
    HardwareProfile profile =
        new HardwareProfile(
            machine.name(),
            machine.title(),
            onDevice,
            device.facts().memoryBytes(),
            link,
            onHost,
            machine.memoryBytes(),
            new Sharing(
                most,
                Math.min(most, coreMoves),
                machine.cores(),
                copyCores,
                handOverSeconds(),
                deviceIsHost),
            disk,
            assumptions);
    return new Profiling(profile, figures, together, (System.nanoTime() - begin) / 1e9);
  }

  /** The first time may warm up. */
  private double leastOfTwo(IntConsumer run) {
    return Math.min(sampler.perItem(run), sampler.perItem(run));
  }

  static List<MatrixSize> cut(List<MatrixSize> sizes) {
    return sizes.stream().map(Profiler::cut).distinct().toList();
  }

  static MatrixSize cut(MatrixSize size) {
    return new MatrixSize(Math.min(size.outputs(), ProductProbe.MOST_OUTPUTS), size.inputs());
  }

  // One thing at a time

  private Processor processor(String which, Device of, List<MatrixSize> sizes) {
    ProductProbe products = new ProductProbe(of, effort, sampler);
    shapes.dtypes().forEach(dtype -> products.measure(dtype, sizes));
    figures.add(
        new Figure(
            "memory " + which,
            "most that products read and write",
            products.bytesPerSecond(),
            Quantity.BYTES_PER_SECOND));
    double launch = launchSeconds(of);
    figures.add(new Figure("launch " + which, "a small operation", launch, Quantity.SECONDS));
    double rows = rowBytesPerSecond(of);
    figures.add(
        new Figure(
            "memory " + which,
            "rows that activations read and write",
            rows,
            Quantity.BYTES_PER_SECOND));
    double packing = packBytesPerSecond(which, of, sizes).orElse(rows);
    progress.accept("attention " + which);
    double decode = attend(decodeOn(of), "a row per sequence", which);
    double prompt = attend(promptOn(of), "prompts", which);
    return new Processor(
        products.bytesPerSecond(),
        rows,
        packing,
        launch,
        products.peaks(),
        products.products(),
        decode,
        prompt);
  }

  private double launchSeconds(Device of) {
    try (RowProbe probe = new RowProbe(of, 1)) {
      sampler.warmUp(probe.stream(), probe::launch);
      return sampler.perItem(probe.stream(), probe::launch);
    }
  }

  private double rowBytesPerSecond(Device of) {
    try (RowProbe probe = new RowProbe(of, effort.rows().getLast())) {
      sampler.warmUp(probe.stream(), probe::activate);
      return probe.activatedBytes() / sampler.perItem(probe.stream(), probe::activate);
    }
  }

  /** Of the largest weights that it packs, if any. */
  private OptionalDouble packBytesPerSecond(String which, Device of, List<MatrixSize> sizes) {
    DType dtype = shapes.dtypes().getFirst();
    Optional<MatrixSize> largest = PackProbe.largest(of, dtype, sizes);
    if (largest.isEmpty()) {
      return OptionalDouble.empty();
    }
    try (PackProbe probe = new PackProbe(of, dtype, largest.get(), effort.streamedBytes())) {
      sampler.warmUp(probe.stream(), probe::pack);
      double rate = probe.bytes() / sampler.perItem(probe.stream(), probe::pack);
      figures.add(
          new Figure(
              "memory " + which,
              "weights that are put into order, read and written",
              rate,
              Quantity.BYTES_PER_SECOND));
      return OptionalDouble.of(rate);
    }
  }

  /**
   * What one loses who waits for an operation and only then has the next one done: until a worker
   * comes to it, and until the thread that waited goes on. The operation takes longer than threads
   * look for work before they sleep, as what the engine waits for does.
   */
  private double handOverSeconds() {
    try (RowProbe probe = new RowProbe(host, WAITED_ROWS)) {
      sampler.warmUp(probe.stream(), probe::activate);
      double lost = sampler.mean(probe::secondsLost);
      figures.add(new Figure("hand-over", "work waited for", lost, Quantity.SECONDS));
      return lost;
    }
  }

  private AttentionProbe decodeOn(Device of) {
    return new AttentionProbe(
        of, shapes.heads(), 4, 1, effort.contextTokens(), effort.streamedBytes());
  }

  private AttentionProbe promptOn(Device of) {
    return new AttentionProbe(
        of, shapes.heads(), 2, effort.promptTokens(), effort.promptTokens(), 0);
  }

  /** Bytes of cache per second for one row per sequence, else operations per second. */
  private double attend(AttentionProbe opened, String what, String which) {
    try (AttentionProbe probe = opened) {
      sampler.warmUp(probe.stream(), () -> probe.enqueue(probe.stream()));
      double seconds = probe.seconds(sampler);
      double bytes = probe.bytes() / seconds;
      double flops = probe.flops() / seconds;
      boolean decode = probe.rowsPerSequence() == 1;
      figures.add(
          decode
              ? new Figure("attention " + which, what, bytes, Quantity.BYTES_PER_SECOND)
              : new Figure("attention " + which, what, flops, Quantity.FLOPS));
      return decode ? bytes : flops;
    }
  }

  private Link link() {
    try (CopyProbe probe = new CopyProbe(device, effort.streamedBytes(), effort.streamedBytes())) {
      List<Long> sizes = effort.copyBytes();
      sampler.warmUp(probe.stream(), () -> probe.toDevice(sizes.getFirst()));
      List<Double> toDevice = seconds("to the device", sizes, probe.stream(), probe::toDevice);
      List<Double> toHost = seconds("to the host", sizes, probe.stream(), probe::toHost);
      List<Double> cores = copyCores(probe, toDevice);
      List<Double> kept = Collections.nCopies(sizes.size(), 0.0); // of rings that no cache holds
      long piece = sizes.getLast();
      double both = probe.bothBytes(piece) / sampler.perItem(probe.both(piece));
      figures.add(
          new Figure("copies both ways", ByteSize.format(piece), both, Quantity.BYTES_PER_SECOND));
      return new Link(
          CopyProbe.rate(sizes, toDevice, cores, kept),
          CopyProbe.rate(sizes, toHost, cores, kept),
          both);
    }
  }

  private List<Double> seconds(String way, List<Long> sizes, Stream stream, LongConsumer copying) {
    List<Double> seconds = new ArrayList<>();
    for (long size : sizes) {
      double each = sampler.perItem(stream, () -> copying.accept(size));
      seconds.add(each);
      figures.add(
          new Figure(
              "copies " + way, ByteSize.format(size), size / each, Quantity.BYTES_PER_SECOND));
    }
    return seconds;
  }

  // The disk, and two lanes at a time

  private Disk diskAndLanesTogether(MatrixSize size, double copyCores) throws IOException {
    if (machine.temporary().isEmpty()) {
      lanesTogether(size, copyCores, null);
      return assumedDisk(0, "the disk was not to be measured");
    }
    progress.accept("the disk");
    long free = Files.getFileStore(machine.temporary().get()).getUsableSpace();
    long bytes = Math.min(effort.fileBytes(), free / DISK_SHARE);
    if (bytes < DiskProbe.UNIT_BYTES) {
      lanesTogether(size, copyCores, null);
      return assumedDisk(free, "no room for a file in " + machine.temporary().get());
    }
    try (DiskProbe probe = new DiskProbe(machine.temporary().get(), bytes)) {
      Disk disk = disk(probe, free);
      lanesTogether(size, copyCores, probe);
      return disk;
    }
  }

  private Disk disk(DiskProbe probe, long free) {
    Map<Integer, Double> rates = new HashMap<>();
    for (int readers : effort.readers()) {
      double rate = readRate(probe, readers);
      figures.add(
          new Figure(
              "disk reads",
              readers == 1 ? "1 reader" : readers + " readers",
              rate,
              Quantity.BYTES_PER_SECOND));
      rates.put(readers, rate);
    }
    double asPasses = rates.computeIfAbsent(READERS, all -> readRate(probe, all));
    double lone = rates.computeIfAbsent(1, one -> readRate(probe, one));
    int count = (int) Math.ceil(READING_SECONDS * asPasses / DiskProbe.UNIT_BYTES);
    BusyCores cores = BusyCores.since();
    probe.read(count, READERS);
    double busy = cores.untilNow();
    double beside = deviceIsHost ? readRateBesideProducts(probe) : asPasses;
    figures.add(new Figure("cores busy if alone", "disk reads", busy, Quantity.COUNT));
    figures.add(
        new Figure(
            "disk writes",
            "until the disk has them",
            probe.writeBytesPerSecond(),
            Quantity.BYTES_PER_SECOND));
    return new Disk(
        free,
        asPasses,
        Math.min(asPasses, lone),
        Math.min(asPasses, beside),
        busy,
        probe.writeBytesPerSecond());
  }

  private double readRate(DiskProbe probe, int readers) {
    int units = UNITS_PER_READER * readers;
    return units
        * DiskProbe.UNIT_BYTES
        / sampler.perItem(count -> probe.read(count * units, readers));
  }

  private double readRateBesideProducts(DiskProbe probe) {
    int rows = manyRows();
    try (WeightRing ring = ring(cut(shapes.sizes()).getLast(), rows)) {
      double rate = new BesideProbe(ring, rows).measure(() -> readRate(probe, READERS));
      figures.add(
          new Figure(
              "disk reads beside products", READERS + " readers", rate, Quantity.BYTES_PER_SECOND));
      return rate;
    }
  }

  private Disk assumedDisk(long free, String reason) {
    assumptions.add(new Assumption("disk.free_bytes", ByteSize.format(free), reason));
    double read = assume("disk.read_bytes_per_s", reason);
    double lone = assume("disk.lone_read_bytes_per_s", reason);
    double busy = assume("disk.busy_read_bytes_per_s", reason);
    double write = assume("disk.write_bytes_per_s", reason);
    double cores = Disk.USUAL_CORE_SECONDS_PER_BYTE * read;
    assumptions.add(new Assumption("disk.read_cores", Quantity.COUNT.format(cores), reason));
    return new Disk(free, read, lone, busy, cores, write);
  }

  private double assume(String field, String reason) {
    double rate = 1e9;
    assumptions.add(new Assumption(field, Quantity.BYTES_PER_SECOND.format(rate), reason));
    return rate;
  }

  private void lanesTogether(MatrixSize size, double copyCores, DiskProbe disk) {
    if (!effort.together()) {
      return;
    }
    progress.accept("two lanes at a time");
    TogetherProbe probe = new TogetherProbe(TOGETHER_SAMPLES * effort.sampleSeconds());
    int manyRows = manyRows();
    try (WeightRing ring = ring(size, manyRows);
        AttentionProbe attention = decodeOn(host);
        CopyProbe copies = new CopyProbe(device, effort.streamedBytes(), effort.streamedBytes())) {
      Activity copy = copying(copies, copyCores);
      Activity compute = multiplying(ring, manyRows);
      Activity attend = attending(attention);
      figures.add(
          new Figure("cores busy if alone", copy.name(), probe.busyCores(copy), Quantity.COUNT));
      together.add(probe.measure(compute, copy));
      together.add(probe.measure(multiplying(ring, 1), copy));
      together.add(probe.measure(attend, copy));
      together.add(probe.measure(compute, attend));
      if (disk != null) {
        Activity read = reading(disk);
        together.add(probe.measure(compute, read));
        together.add(probe.measure(copy, read));
      }
    }
  }

  /** Cores that want to copy pieces of each size to the device, see {@link BesideProbe}. */
  private List<Double> copyCores(CopyProbe copies, List<Double> aloneSeconds) {
    if (!deviceIsHost) {
      return Collections.nCopies(aloneSeconds.size(), 0.0);
    }
    int rows = manyRows();
    List<Double> cores = new ArrayList<>();
    try (WeightRing ring = ring(cut(shapes.sizes()).getLast(), rows)) {
      BesideProbe products = new BesideProbe(ring, rows);
      for (int i = 0; i < aloneSeconds.size(); i++) {
        long piece = effort.copyBytes().get(i);
        double beside =
            products.measure(() -> sampler.perItem(copies.stream(), () -> copies.toDevice(piece)));
        figures.add(
            new Figure(
                "copies to the device beside products",
                ByteSize.format(piece),
                piece / beside,
                Quantity.BYTES_PER_SECOND));
        cores.add(BesideProbe.copyCores(machine.cores(), beside / aloneSeconds.get(i)));
      }
    }
    return cores;
  }

  /** Rows of products that no memory holds up. */
  private int manyRows() {
    return effort.rows().get(effort.rows().size() * 2 / 3);
  }

  private WeightRing ring(MatrixSize size, int rows) {
    IllegalArgumentException none = null;
    for (DType dtype : shapes.dtypes()) {
      try {
        return new WeightRing(device, dtype, size, rows, effort.streamedBytes());
      } catch (IllegalArgumentException e) {
        none = e; // the device does not multiply this format; another will do
      }
    }
    throw new IllegalArgumentException("the device multiplies none of " + shapes.dtypes(), none);
  }

  private Activity copying(CopyProbe copies, double cores) {
    long piece = effort.copyBytes().get(effort.copyBytes().size() / 2);
    return new Activity(
        "copies to the device",
        deviceIsHost ? 2 * piece : piece,
        cores,
        Sampler.repeating(copies.stream(), () -> copies.toDevice(piece)));
  }

  private Activity multiplying(WeightRing ring, int rows) {
    return new Activity(
        rows == 1 ? "products of 1 row" : "products of " + rows + " rows",
        deviceIsHost ? ring.bytes(rows) : 0,
        deviceIsHost ? machine.cores() : 0,
        Sampler.repeating(ring.stream(), () -> ring.enqueue(ring.stream(), rows)));
  }

  private Activity attending(AttentionProbe attention) {
    return new Activity(
        "attention on the host",
        attention.bytes(),
        machine.cores(),
        Sampler.repeating(attention.stream(), () -> attention.enqueue(attention.stream())));
  }

  private Activity reading(DiskProbe disk) {
    return new Activity("disk reads", DiskProbe.UNIT_BYTES, 0, count -> disk.read(count, READERS));
  }

  /** The most that host memory was seen to give. */
  private double hostMemoryRate(double hostReads, Processor onHost, Link link) {
    double most = Math.max(hostReads, onHost.memoryBytesPerSecond());
    most = Math.max(most, (deviceIsHost ? 2 : 1) * link.bothBytesPerSecond());
    for (Together each : together) {
      most = Math.max(most, each.hostBytes() / each.seconds());
    }
    return most;
  }
}
