package dev.offload.jobs;

import java.util.Optional;

/**
 * Rows on their way to the engine, as it asks for them.
 *
 * @param <Q> what the engine is asked for a row
 */
interface Requests<Q> {
  /** The next request, or empty when there are no more. */
  Optional<Q> next();

  /** Whether {@link #next} would answer without a long wait. */
  boolean hasMoreNow();
}
