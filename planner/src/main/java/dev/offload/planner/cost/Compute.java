package dev.offload.planner.cost;

/**
 * Work of one processor.
 *
 * @param seconds if it has the machine to itself
 * @param flops arithmetic
 * @param bytes of its memory read and written
 */
public record Compute(double seconds, double flops, double bytes) {
  /** Nothing. */
  public static final Compute NONE = new Compute(0, 0, 0);

  /** Both, one after the other. */
  public Compute plus(Compute other) {
    return new Compute(seconds + other.seconds, flops + other.flops, bytes + other.bytes);
  }

  /** So many times this. */
  public Compute times(double factor) {
    return new Compute(seconds * factor, flops * factor, bytes * factor);
  }
}
