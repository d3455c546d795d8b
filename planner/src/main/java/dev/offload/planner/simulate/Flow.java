package dev.offload.planner.simulate;

import dev.offload.planner.cost.Cost;

/** A piece of work that goes on, and how fast. Owned by the simulator. */
final class Flow {
  private final Cost cost;
  private double remaining;
  private double speed;

  Flow(Cost cost) {
    this.cost = cost;
    this.remaining = cost.seconds();
  }

  /** Host memory it moves per second at full speed. */
  double hostDemand() {
    return cost.hostBytes() / cost.seconds();
  }

  /** Bytes it sends over the link per second at full speed. */
  double linkDemand() {
    return cost.linkBytes() / cost.seconds();
  }

  /** Cores it keeps busy at full speed. */
  double coreDemand() {
    return cost.coreSeconds() / cost.seconds();
  }

  /** Sets how fast it goes: the share that it gets of the resource it gets least of. */
  void setSpeed(double hostShare, double linkShare, double coreShare) {
    speed = 1;
    speed = cost.hostBytes() > 0 ? Math.min(speed, hostShare) : speed;
    speed = cost.linkBytes() > 0 ? Math.min(speed, linkShare) : speed;
    speed = cost.coreSeconds() > 0 ? Math.min(speed, coreShare) : speed;
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
