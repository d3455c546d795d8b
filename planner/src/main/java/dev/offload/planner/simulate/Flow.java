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

  /** Sets which part of its lane it has; 0 while others go first. */
  void setLaneShare(double share) {
    laneShare = share;
  }

  /** Host memory it moves per second at full speed. */
  double hostDemand() {
    return laneShare * cost.hostBytes() / cost.seconds();
  }

  /** Bytes it sends over the link per second at full speed. */
  double linkDemand() {
    return laneShare * cost.linkBytes() / cost.seconds();
  }

  /** Cores it keeps busy at full speed. */
  double coreDemand() {
    return laneShare * cost.coreSeconds() / cost.seconds();
  }

  /** Sets how fast it goes: the share that it gets of the resource it gets least of. */
  void setSpeed(double hostShare, double linkShare, double coreShare) {
    double least = 1;
    least = cost.hostBytes() > 0 ? Math.min(least, hostShare) : least;
    least = cost.linkBytes() > 0 ? Math.min(least, linkShare) : least;
    least = cost.coreSeconds() > 0 ? Math.min(least, coreShare) : least;
    speed = laneShare * least;
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
