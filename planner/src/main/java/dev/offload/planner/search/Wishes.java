package dev.offload.planner.search;

import dev.offload.planner.KvGroup;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Budgets, and what is not left to the planner.
 *
 * @param deviceBytes budget of device memory
 * @param hostBytes budget of pinned host memory
 * @param diskBytes room for weights in files
 * @param sequences most sequences at a time, whatever room the cache has for longer ones; if
 *     absent, as many as are best
 * @param microBatches number of KV groups
 * @param microBatchTokens most tokens of a micro-batch in a pass
 * @param rowTokens cache slots of the longest row, for which each group must have room
 * @param cacheTokens cache slots per sequence that are of use if rows turn out longer than
 *     expected: the cache takes them where there is room, and each group gets those of one row as
 *     long as the context as far as a part of the memory will do; 0 if rows are as expected
 * @param kvHome where the whole cache lives
 */
public record Wishes(
    long deviceBytes,
    long hostBytes,
    long diskBytes,
    OptionalInt sequences,
    OptionalInt microBatches,
    OptionalInt microBatchTokens,
    int rowTokens,
    int cacheTokens,
    Optional<KvGroup.Home> kvHome) {
  public Wishes {
    if (sequences.orElse(Integer.MAX_VALUE) < microBatches.orElse(1)
        || sequences.orElse(1) < 1
        || microBatches.orElse(1) < 1
        || microBatchTokens.orElse(1) < 1
        || rowTokens < 1
        || cacheTokens < 0) {
      throw new IllegalArgumentException(
          "%s sequences in %s micro-batches of %s tokens with %d cache slots for one row and %d for one longer than expected cannot be planned"
              .formatted(
                  text(sequences),
                  text(microBatches),
                  text(microBatchTokens),
                  rowTokens,
                  cacheTokens));
    }
    if (deviceBytes < 0 || hostBytes < 0 || diskBytes < 0) {
      throw new IllegalArgumentException(
          "budgets of %d B device, %d B host and %d B disk, none may be negative"
              .formatted(deviceBytes, hostBytes, diskBytes));
    }
  }

  private static String text(OptionalInt number) {
    return number.isPresent() ? Integer.toString(number.getAsInt()) : "any number of";
  }

  /** Budgets alone. */
  public static Wishes of(long deviceBytes, long hostBytes, long diskBytes, int rowTokens) {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        rowTokens,
        0,
        Optional.empty());
  }

  /** The same with so many sequences in flight; absent means as many as are best. */
  public Wishes withSequences(OptionalInt most) {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        most,
        microBatches,
        microBatchTokens,
        rowTokens,
        cacheTokens,
        kvHome);
  }

  Wishes with(long device, long host, long disk) {
    return new Wishes(
        device,
        host,
        disk,
        sequences,
        microBatches,
        microBatchTokens,
        rowTokens,
        cacheTokens,
        kvHome);
  }

  Wishes withMicroBatches(int groups) {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        sequences,
        OptionalInt.of(groups),
        microBatchTokens,
        rowTokens,
        cacheTokens,
        kvHome);
  }

  Wishes withRowTokens(int tokens) {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        sequences,
        microBatches,
        microBatchTokens,
        tokens,
        cacheTokens,
        kvHome);
  }

  Wishes withKvHome(KvGroup.Home home) {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        sequences,
        microBatches,
        microBatchTokens,
        rowTokens,
        cacheTokens,
        Optional.of(home));
  }

  /** The same for rows that are no longer than expected. */
  Wishes withoutLongRows() {
    return new Wishes(
        deviceBytes,
        hostBytes,
        diskBytes,
        sequences,
        microBatches,
        microBatchTokens,
        rowTokens,
        0,
        kvHome);
  }
}
