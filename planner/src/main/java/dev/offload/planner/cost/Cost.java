package dev.offload.planner.cost;

/**
 * What a piece of work costs.
 *
 * @param seconds on its lane if it has the machine to itself
 * @param hostBytes host memory read and written
 * @param linkBytes bytes that cross between host and device
 * @param coreSeconds time of the host's cores, summed over cores
 * @param wakingSeconds of {@code seconds} those until a thread has begun or goes on, in which its
 *     lane is not busy
 */
public record Cost(
    double seconds, double hostBytes, double linkBytes, double coreSeconds, double wakingSeconds) {
  /** Nothing. */
  public static final Cost NONE = new Cost(0, 0, 0, 0);

  /** One that waits for no thread. */
  public Cost(double seconds, double hostBytes, double linkBytes, double coreSeconds) {
    this(seconds, hostBytes, linkBytes, coreSeconds, 0);
  }

  /** Both, one after the other. */
  public Cost plus(Cost other) {
    return new Cost(
        seconds + other.seconds,
        hostBytes + other.hostBytes,
        linkBytes + other.linkBytes,
        coreSeconds + other.coreSeconds,
        wakingSeconds + other.wakingSeconds);
  }

  /** So many times this. */
  public Cost times(double factor) {
    return new Cost(
        seconds * factor,
        hostBytes * factor,
        linkBytes * factor,
        coreSeconds * factor,
        wakingSeconds * factor);
  }
}
