package dev.offload.planner.profile;

import java.util.List;

/**
 * How thoroughly a machine is measured.
 *
 * @param sampleSeconds time of one figure, at least; three samples in any case
 * @param streamedBytes memory gone through, so that no cache holds it
 * @param copyBytes sizes of copied pieces
 * @param rows numbers of rows that are multiplied
 * @param promptTokens tokens of a prompt that attends to itself
 * @param contextTokens tokens of a cache that is attended to
 * @param fileBytes size of the file that is written and read
 * @param readers numbers of readers of it at a time
 * @param together whether two lanes at a time are measured too
 */
public record Effort(
    double sampleSeconds,
    long streamedBytes,
    List<Long> copyBytes,
    List<Integer> rows,
    int promptTokens,
    int contextTokens,
    long fileBytes,
    List<Integer> readers,
    boolean together) {
  private static final long MIB = 1 << 20;

  public Effort {
    copyBytes = List.copyOf(copyBytes);
    rows = List.copyOf(rows);
    readers = List.copyOf(readers);
  }

  /** Less than a minute. */
  public static Effort usual() {
    return new Effort(
        0.05,
        256 * MIB,
        List.of(MIB / 16, MIB, 16 * MIB, 64 * MIB),
        List.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        512,
        4096,
        1024 * MIB,
        List.of(1, 2, 4),
        true);
  }
}
