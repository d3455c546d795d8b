package dev.offload.planner.simulate;

import dev.offload.planner.cost.Cost;

/** A piece of work that goes on, and how fast. Owned by the simulator. */
final class Flow {
  private final Cost cost;
  private double remaining;
  private double laneShare = 1;
  private double speed;

  Flow(Cost cost) {
    this.cost = cost;
    this.remaining = cost.seconds();
  }

  /** Sets which part of what its lane can do it has; 0 while others go first. */
  void setLaneShare(double share) {
    laneShare = share;
  }

  /** Whether it sends something over the link. */
  boolean needsLink() {
    return cost.linkBytes() > 0;
  }

  /** The part of its time in which its lane is busy with it. */
  double busyShare() {
    return 1 - cost.wakingSeconds() / cost.seconds();
  }

  /** Host memory it moves per second at its speed. */
  double hostBytesPerSecond() {
    return speed * cost.hostBytes() / cost.seconds();
  }

  /** Bytes it sends over the link per second at its speed. */
  double linkBytesPerSecond() {
    return speed * cost.linkBytes() / cost.seconds();
  }

  /** Cores it keeps busy at full speed. */
  double coreDemand() {
    return laneShare * cost.coreSeconds() / cost.seconds();
  }

  /** Whether it keeps so many cores busy at full speed. */
  boolean wantsCores(double cores) {
    return cost.coreSeconds() >= cores * cost.seconds();
  }

  /** Sets how fast it goes with at most so many cores and as much of all else as it wants. */
  void setCores(double most) {
    double share = cost.coreSeconds() > 0 ? Math.min(1, most / coreDemand()) : 1;
    speed = laneShare * share;
  }

  /** Slows it down to the share that it gets of the resource it gets least of. */
  void slowDown(double hostShare, double linkShare) {
    double share = cost.hostBytes() > 0 ? Math.min(1, hostShare) : 1;
    speed *= cost.linkBytes() > 0 ? Math.min(share, linkShare) : share;
  }

  /** Time until it is done if nothing changes. */
  double secondsLeft() {
    return remaining / speed;
  }

  void advance(double seconds) {
    remaining -= seconds * speed;
  }

  /** Up to what rounding leaves. */
  boolean isDone() {
    return remaining <= 1e-9 * cost.seconds();
  }
}
