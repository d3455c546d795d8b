package dev.offload.backends.cuda;

import dev.offload.tensors.ByteSize;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The one allocation of device memory, given out in pieces at boundaries of {@value #ALIGNMENT}
 * bytes: the first gap that is large enough. Thread-safe.
 */
final class DevicePool implements AutoCloseable {
  static final long ALIGNMENT = 4096;

  private final Driver driver;
  private final long allocation;

  /** Start and length of what is free, ascending; neighbours are one. */
  private final TreeMap<Long, Long> gaps = new TreeMap<>();

  /**
   * Takes the memory.
   *
   * @param bytes of all pieces together, each rounded up to {@value #ALIGNMENT}
   */
  DevicePool(Driver driver, long bytes) {
    this.driver = driver;
    allocation = driver.allocate(roundUp(bytes) + ALIGNMENT);
    gaps.put(roundUp(allocation), roundUp(bytes));
  }

  /**
   * A piece.
   *
   * @param bytes at least 0
   * @return its address
   * @throws IllegalStateException if no gap is large enough
   */
  synchronized long take(String purpose, long bytes) {
    long size = size(bytes);
    Optional<Map.Entry<Long, Long>> found =
        gaps.entrySet().stream().filter(gap -> gap.getValue() >= size).findFirst();
    if (found.isEmpty()) {
      throw tooSmall(purpose, bytes);
    }
    long start = found.get().getKey();
    long left = found.get().getValue() - size;
    gaps.remove(start);
    if (left > 0) {
      gaps.put(start + size, left);
    }
    return start;
  }

  private IllegalStateException tooSmall(String purpose, long bytes) {
    LongSummaryStatistics free =
        gaps.values().stream().mapToLong(Long::longValue).summaryStatistics();
    return new IllegalStateException(
        "%s needs %s of device memory in one piece; of %s free the largest piece has %s"
            .formatted(
                purpose,
                ByteSize.format(bytes),
                ByteSize.format(free.getSum()),
                ByteSize.format(Math.max(0, free.getMax()))));
  }

  /**
   * Gives a piece back.
   *
   * @param bytes as taken
   */
  synchronized void give(long address, long bytes) {
    long start = address;
    long end = address + size(bytes);
    Map.Entry<Long, Long> before = gaps.lowerEntry(start);
    if (before != null && before.getKey() + before.getValue() == start) {
      start = before.getKey();
    }
    Long behind = gaps.remove(end);
    gaps.put(start, end + (behind == null ? 0 : behind) - start);
  }

  private static long size(long bytes) {
    return Math.max(ALIGNMENT, roundUp(bytes));
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Gives the memory back to the driver. */
  @Override
  public void close() {
    driver.free(allocation);
  }
}
