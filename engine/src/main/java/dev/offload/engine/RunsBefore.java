package dev.offload.engine;

import dev.offload.planner.cost.RoutingStatistics;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What runs of the same engine have shown that no rate of the machine says.
 *
 * @param routing how often experts were chosen; absent: all as often
 * @param betweenSeconds how long lanes wait for the engine's own thread between two passes; absent:
 *     as long as it takes to fill in what goes up and to look at the logits
 */
public record RunsBefore(Optional<RoutingStatistics> routing, OptionalDouble betweenSeconds) {
  /** Nothing ran before. */
  public static final RunsBefore NONE = new RunsBefore(Optional.empty(), OptionalDouble.empty());
}
