package dev.offload.planner.simulate;

import dev.offload.planner.cost.Cost;

/**
 * A piece of work that goes on, and how fast. Before it begins a thread may have to wake up, which
 * takes time but nothing that is shared. Owned by the simulator.
 */
final class Flow {
  /** What rounding leaves of a time. */
  private static final double ROUNDING = 1e-9;

  private final Cost cost;
  private final double workSeconds;
  private double waking;
  private double remaining;
  private double worked;
  private double laneShare = 1;
  private double speed;

  Flow(Cost cost) {
    this.cost = cost;
    waking = cost.wakingSeconds();
    workSeconds = cost.seconds() - waking;
    remaining = workSeconds;
  }

  /** Whether it has begun, so that its lane is busy with it. */
  boolean works() {
    return waking <= 0;
  }

  /** How long it has worked so far. */
  double workedSeconds() {
    return worked;
  }

  /** Sets which part of what its lane can do it has; 0 while others go first. */
  void setLaneShare(double share) {
    laneShare = share;
  }

  /** Whether it sends something over the link. */
  boolean needsLink() {
    return cost.linkBytes() > 0;
  }

  /** Host memory it moves per second at its speed. */
  double hostBytesPerSecond() {
    return works() ? speed * cost.hostBytes() / workSeconds : 0;
  }

  /** Bytes it sends over the link per second at its speed. */
  double linkBytesPerSecond() {
    return works() ? speed * cost.linkBytes() / workSeconds : 0;
  }

  /** Cores it keeps busy at full speed. */
  double coreDemand() {
    return works() ? laneShare * cost.coreSeconds() / workSeconds : 0;
  }

  /** Whether it keeps so many cores busy at full speed. */
  boolean wantsCores(double cores) {
    return works() && cost.coreSeconds() >= (1 - ROUNDING) * cores * workSeconds;
  }

  /** Sets how fast it goes with at most so many cores and as much of all else as it wants. */
  void setCores(double most) {
    double demand = coreDemand();
    speed = laneShare * (demand > most ? most / demand : 1);
  }

  /** Slows it down to the share that it gets of the resource it gets least of. */
  void slowDown(double hostShare, double linkShare) {
    double share = cost.hostBytes() > 0 ? Math.min(1, hostShare) : 1;
    speed *= cost.linkBytes() > 0 ? Math.min(share, linkShare) : share;
  }

  /** Time until it begins or, once it has, is done if nothing changes. */
  double secondsLeft() {
    return works() ? remaining / speed : waking;
  }

  void advance(double seconds) {
    if (works()) {
      remaining -= seconds * speed;
      worked += seconds;
    } else {
      waking -= seconds;
      waking = waking > ROUNDING * cost.wakingSeconds() ? waking : 0;
    }
  }

  /** Up to what rounding leaves. */
  boolean isDone() {
    return works() && remaining <= ROUNDING * cost.seconds();
  }
}
