package dev.offload.generation;

import java.util.Optional;

/**
 * Where the engine takes rows with choices from. Called by the engine's thread whenever it has room
 * for one more.
 */
@FunctionalInterface
public interface ChoiceSource {
  /** The next row, or empty when there are no more. May block for a short time to read. */
  Optional<ChoiceRequest> next();

  /**
   * Whether {@link #next} would answer without a long wait. The engine looks ahead, for rows that
   * begin alike, as far as this is so.
   */
  default boolean hasMoreNow() {
    return true;
  }
}
