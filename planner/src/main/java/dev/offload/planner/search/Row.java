package dev.offload.planner.search;

import dev.offload.planner.Lane;
import java.util.Locale;

/** What a pass takes at least as long as: its lanes, what they share, and chains of waiting. */
enum Row {
  DISK(0),
  H2D(1),
  D2H(2),
  GPU(3),
  CPU(4),
  /** Host memory that all lanes draw on. */
  HOST_MEMORY(5),
  /** Copies to the device, which those back slow down as far as the link cannot do both. */
  LINK(6),
  /** Cores, if the device computes with the host's. */
  CORES(7),
  /**
   * In each layer the device waits for attention on the host; meanwhile it only projects other
   * micro-batches and attends to what it has itself.
   */
  ATTENTION_ON_HOST(8),
  /**
   * Experts are copied while those before them are computed and, ahead of that, as many as the ring
   * holds; the layer's other work and its resident experts, which come first, are not beside them.
   */
  EXPERTS_ARRIVING(9),
  /** Reads of experts run ahead of a layer only as far as staging holds. */
  READS_AHEAD(10),
  /**
   * In each layer the device waits for experts on the host; meanwhile it only computes other
   * experts.
   */
  EXPERTS_ON_HOST(11),
  /**
   * The same with experts that are copied meanwhile, all but what the ring holds: they slow the
   * host down as far as its memory cannot do both.
   */
  EXPERTS_AT_ONCE(12),
  /** The same with all copies, but for those beside the device's other work. */
  EXPERTS_BESIDE_COPIES(13),
  /** Copies to the device, with what the host's work slows them down in the same way. */
  COPIES_BESIDE_HOST(14);

  /** Position in {@link Loads}. */
  final int index;

  Row(int index) {
    this.index = index;
  }

  static Row of(Lane lane) {
    return switch (lane) {
      case DISK -> DISK;
      case H2D -> H2D;
      case D2H -> D2H;
      case GPU -> GPU;
      case CPU -> CPU;
    };
  }

  /** Whether it is a lane alone. */
  boolean isLane() {
    return switch (this) {
      case DISK, H2D, D2H, GPU, CPU -> true;
      case HOST_MEMORY,
          LINK,
          CORES,
          ATTENTION_ON_HOST,
          EXPERTS_ARRIVING,
          READS_AHEAD,
          EXPERTS_ON_HOST,
          EXPERTS_AT_ONCE,
          EXPERTS_BESIDE_COPIES,
          COPIES_BESIDE_HOST ->
          false;
    };
  }

  /** For people and scripts: a lane in lower case, or words. */
  String title() {
    return switch (this) {
      case LINK -> "link both ways";
      default -> name().toLowerCase(Locale.ROOT).replace('_', ' ');
    };
  }
}
