package dev.offload.planner.hardware;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * What a machine can do. Bytes, bytes per second, seconds and floating-point operations per second,
 * all decimal.
 *
 * @param name short lower-case name such as {@code t4}, or of a measured machine its host name
 * @param title what it is, for people
 * @param device the processor of the lane {@code GPU}
 * @param deviceMemoryBytes its memory; where it shares the host's, what a program may take of it
 * @param link copies between host and device
 * @param host the processor of the lane {@code CPU}
 * @param hostMemoryBytes memory of the host
 * @param sharing what all lanes draw on together
 * @param disk files that weights are read from
 * @param assumptions figures that nobody measured or stated
 */
public record HardwareProfile(
    String name,
    String title,
    Processor device,
    long deviceMemoryBytes,
    Link link,
    Processor host,
    long hostMemoryBytes,
    Sharing sharing,
    Disk disk,
    List<Assumption> assumptions) {
  public HardwareProfile {
    assumptions = List.copyOf(assumptions);
    if (deviceMemoryBytes < 1 || hostMemoryBytes < 1) {
      throw new IllegalArgumentException(
          "a machine has %d bytes of device and %d of host memory, both must be at least 1"
              .formatted(deviceMemoryBytes, hostMemoryBytes));
    }
  }

  /** The same with other memory of the device. */
  public HardwareProfile withDeviceMemory(long bytes) {
    return new HardwareProfile(
        name, title, device, bytes, link, host, hostMemoryBytes, sharing, disk, assumptions);
  }

  /** The same with another disk. */
  public HardwareProfile withDisk(Disk other) {
    return new HardwareProfile(
        name,
        title,
        device,
        deviceMemoryBytes,
        link,
        host,
        hostMemoryBytes,
        sharing,
        other,
        assumptions);
  }

  /**
   * Copies between host and device.
   *
   * @param toDevice with nothing else going on
   * @param toHost with nothing else going on
   * @param bothBytesPerSecond of both directions together while both run
   */
  public record Link(CopyRate toDevice, CopyRate toHost, double bothBytesPerSecond) {
    public Link {
      positive("copies both ways", bothBytesPerSecond);
    }
  }

  /**
   * How long a copy takes: {@code latencySeconds + bytes / bytesPerSecond}; where pieces were
   * measured, as long as on the straight line between the next smaller and the next larger one, in
   * proportion beyond the largest.
   *
   * @param bytesPerSecond of large pieces, roughly
   * @param latencySeconds of each piece
   * @param pieces measured ones, the smallest first; may be empty
   */
  public record CopyRate(double bytesPerSecond, double latencySeconds, List<Piece> pieces) {
    public CopyRate {
      pieces = List.copyOf(pieces);
      positive("copy rate", bytesPerSecond);
      notNegative("latency of a copy", latencySeconds);
      for (int i = 1; i < pieces.size(); i++) {
        if (pieces.get(i).bytes() <= pieces.get(i - 1).bytes()) {
          throw new IllegalArgumentException(
              "a copy of %d bytes follows one of %d, sizes must increase"
                  .formatted(pieces.get(i).bytes(), pieces.get(i - 1).bytes()));
        }
      }
    }

    /** One of which no pieces were measured. */
    public CopyRate(double bytesPerSecond, double latencySeconds) {
      this(bytesPerSecond, latencySeconds, List.of());
    }

    /**
     * A copy that was measured.
     *
     * @param seconds when many follow each other
     * @param cores that want to copy it where the device is the host, see {@link Sharing}
     * @param kept how much of weights that came through the ring caches still have, 0 to 1:
     *     products with them take as much less than with weights from memory, of what caches spare
     *     at all
     */
    public record Piece(long bytes, double seconds, double cores, double kept) {
      public Piece {
        if (!(kept >= 0 && kept <= 1)) {
          throw new IllegalArgumentException(
              "caches keep %s of a copy, must be 0 to 1".formatted(kept));
        }
        notNegative("number of cores that copy", cores);
        positive("bytes of a copy", (double) bytes);
        positive("time of a copy", seconds);
      }
    }

    /** Seconds for so many bytes in so many pieces. */
    public double seconds(double bytes, double pieces) {
      return this.pieces.isEmpty() || pieces <= 0
          ? pieces * latencySeconds + bytes / bytesPerSecond
          : pieces * secondsOfOne(bytes / pieces);
    }

    /** Cores that want to copy so many bytes in so many pieces, if that was measured. */
    public OptionalDouble cores(double bytes, double pieces) {
      return this.pieces.isEmpty() || pieces <= 0
          ? OptionalDouble.empty()
          : OptionalDouble.of(along(bytes / pieces, Piece::cores));
    }

    /** How much of a copy of so many bytes caches still have right behind it; 0 if nobody knows. */
    public double kept(double bytes) {
      return pieces.isEmpty() ? 0 : along(bytes, Piece::kept);
    }

    private double secondsOfOne(double bytes) {
      Piece first = pieces.getFirst();
      if (bytes < first.bytes()) {
        double latency = Math.min(latencySeconds, first.seconds());
        return latency + (first.seconds() - latency) * bytes / first.bytes();
      }
      return along(bytes, Piece::seconds) * Math.max(1, bytes / pieces.getLast().bytes());
    }

    /** Between measured pieces on a straight line, beyond them as with the last. */
    private double along(double bytes, ToDoubleFunction<Piece> of) {
      Piece below = pieces.getFirst();
      for (Piece above : pieces) {
        if (bytes <= above.bytes()) {
          double width = Math.max(1, above.bytes() - below.bytes());
          double part = Math.max(0, bytes - below.bytes()) / width;
          return of.applyAsDouble(below)
              + part * (of.applyAsDouble(above) - of.applyAsDouble(below));
        }
        below = above;
      }
      return of.applyAsDouble(below);
    }

    /** The same at a higher rate, latencies as they are. */
    public CopyRate faster(double moreBytesPerSecond) {
      double rate = bytesPerSecond + moreBytesPerSecond;
      return new CopyRate(
          rate,
          latencySeconds,
          pieces.stream()
              .map(
                  each -> {
                    double latency = Math.min(latencySeconds, each.seconds() / 2);
                    double copying = (each.seconds() - latency) * bytesPerSecond / rate;
                    return new Piece(each.bytes(), latency + copying, each.cores(), each.kept());
                  })
              .toList());
    }
  }

  /**
   * What lanes draw on together, so that they slow each other down when it does not suffice.
   *
   * @param hostMemoryBytesPerSecond reads and writes of host memory, all lanes together
   * @param coreBytesPerSecond what one core of the host reads and writes of it; at most as much
   * @param cores cores of the host
   * @param copyCores cores that want to copy where the device is the host: what is left of a copy's
   *     rate beside products, which want all, is their part of the cores over this; at most all
   * @param handOverSeconds until a thread of the host that waited for a stream goes on
   * @param deviceIsHost the device computes with the host's cores in the host's memory, and the
   *     host's cores copy to it
   */
  public record Sharing(
      double hostMemoryBytesPerSecond,
      double coreBytesPerSecond,
      int cores,
      double copyCores,
      double handOverSeconds,
      boolean deviceIsHost) {
    public Sharing {
      positive("host memory rate", hostMemoryBytesPerSecond);
      positive("host memory rate of a core", coreBytesPerSecond);
      positive("number of cores", cores);
      notNegative("number of cores that copy", copyCores);
      notNegative("time to hand work over", handOverSeconds);
      if (copyCores > cores) {
        throw new IllegalArgumentException(
            "%s cores copy, more than the %d there are".formatted(copyCores, cores));
      }
      if (coreBytesPerSecond > hostMemoryBytesPerSecond) {
        throw new IllegalArgumentException(
            "a core is given %s bytes/s of host memory, more than the %s of all cores"
                .formatted(coreBytesPerSecond, hostMemoryBytesPerSecond));
      }
    }

    /**
     * One where each core has its part of host memory's rate, all copy, and nothing takes time to
     * notice.
     */
    public Sharing(double hostMemoryBytesPerSecond, int cores, boolean deviceIsHost) {
      this(
          hostMemoryBytesPerSecond,
          hostMemoryBytesPerSecond / cores,
          cores,
          cores,
          0,
          deviceIsHost);
    }
  }

  /**
   * Files.
   *
   * @param freeBytes room for files; of presets what is usual
   * @param readBytesPerSecond large reads past the page cache by as many readers as passes have
   * @param loneReadBytesPerSecond the same while only one of them has something to read; at most as
   *     much
   * @param busyReadBytesPerSecond the same as {@code readBytesPerSecond} while the device computes
   *     with all cores of the host; at most as much
   * @param readCores cores of the host that all readers keep busy while they read
   * @param writeBytesPerSecond large writes
   */
  public record Disk(
      long freeBytes,
      double readBytesPerSecond,
      double loneReadBytesPerSecond,
      double busyReadBytesPerSecond,
      double readCores,
      double writeBytesPerSecond) {
    /** Time of cores that reading a byte takes where nobody measured it: as on an EPYC. */
    public static final double USUAL_CORE_SECONDS_PER_BYTE = 0.5e-9;

    public Disk {
      notNegative("room on the disk", (double) freeBytes);
      positive("disk read rate", readBytesPerSecond);
      positive("disk read rate of one reader", loneReadBytesPerSecond);
      positive("disk read rate beside products", busyReadBytesPerSecond);
      notNegative("number of cores that read", readCores);
      positive("disk write rate", writeBytesPerSecond);
      if (loneReadBytesPerSecond > readBytesPerSecond) {
        throw new IllegalArgumentException(
            "one reader is given %s bytes/s of the disk, more than the %s of all"
                .formatted(loneReadBytesPerSecond, readBytesPerSecond));
      }
      if (busyReadBytesPerSecond > readBytesPerSecond) {
        throw new IllegalArgumentException(
            "readers beside products are given %s bytes/s of the disk, more than the %s without"
                .formatted(busyReadBytesPerSecond, readBytesPerSecond));
      }
    }

    /** The same with other reads, those of one reader and what they take of cores in proportion. */
    public Disk withReads(double bytesPerSecond) {
      double factor = bytesPerSecond / readBytesPerSecond;
      return new Disk(
          freeBytes,
          bytesPerSecond,
          Math.min(bytesPerSecond, factor * loneReadBytesPerSecond),
          Math.min(bytesPerSecond, factor * busyReadBytesPerSecond),
          factor * readCores,
          writeBytesPerSecond);
    }

    /** One that a single reader keeps busy without any core. */
    public Disk(long freeBytes, double readBytesPerSecond, double writeBytesPerSecond) {
      this(
          freeBytes,
          readBytesPerSecond,
          readBytesPerSecond,
          readBytesPerSecond,
          0,
          writeBytesPerSecond);
    }
  }

  /**
   * A figure that nobody measured or stated.
   *
   * @param field which, as in the JSON form
   * @param value the figure taken, with its unit
   * @param reason where it comes from
   */
  public record Assumption(String field, String value, String reason) {}

  static void positive(String what, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(what + " is " + value + ", must be positive");
    }
  }

  static void notNegative(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(what + " is " + value + ", must not be negative");
    }
  }
}
