package dev.offload.planner.peers;

import dev.offload.planner.peers.Activity.Lane;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Seconds of one step by activity. Mutable, owned by who fills it. */
final class StepTime {
  private final Map<Activity, Double> seconds = new EnumMap<>(Activity.class);

  void add(Activity activity, double more) {
    seconds.merge(activity, more, Double::sum);
  }

  /** Seconds of what a step without overlap does one after the other: all of it. */
  Map<Activity, Double> inSequence() {
    return seconds;
  }

  /**
   * Seconds of what the step waits for. The thread that launches everything is held up by what it
   * does itself; then the device computes while weights arrive. Copy threads and disk work beside
   * both, and all is waited for at the end.
   */
  Map<Activity, Double> longestPath() {
    Lane onDevice = longest(Lane.DEVICE, Lane.HOST_TO_DEVICE);
    return Stream.of(
            Set.of(Lane.HOST_THREAD, onDevice), Set.of(Lane.COPY_THREADS), Set.of(Lane.DISK))
        .map(this::on)
        .max(Comparator.comparingDouble(StepTime::sum))
        .orElseThrow();
  }

  private Lane longest(Lane one, Lane other) {
    return sum(on(Set.of(one))) >= sum(on(Set.of(other))) ? one : other;
  }

  private Map<Activity, Double> on(Set<Lane> lanes) {
    Map<Activity, Double> some = new EnumMap<>(seconds);
    some.keySet().removeIf(activity -> !lanes.contains(activity.lane()));
    return some;
  }

  private static double sum(Map<Activity, Double> some) {
    return some.values().stream().mapToDouble(Double::doubleValue).sum();
  }
}
