package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.Lengths;
import java.util.Arrays;
import java.util.List;

/**
 * Counts lengths in at most {@value #MOST} buckets, whose width doubles when a length is longer.
 */
final class LengthCounts {
  static final int MOST = 512;

  private final long[] counts = new long[MOST];
  private int width = 1;
  private long count;
  private long sum;
  private int shortest = Integer.MAX_VALUE;
  private int longest;

  /** Counts one; 0 is a length. */
  void add(int tokens) {
    while (tokens / width >= MOST) {
      widen();
    }
    counts[tokens / width]++;
    count++;
    sum += tokens;
    shortest = Math.min(shortest, tokens);
    longest = Math.max(longest, tokens);
  }

  private void widen() {
    for (int i = 0; i < MOST / 2; i++) {
      counts[i] = counts[2 * i] + counts[2 * i + 1];
    }
    Arrays.fill(counts, MOST / 2, MOST, 0);
    width *= 2;
  }

  /** What was counted. */
  Lengths lengths() {
    if (count == 0) {
      return new Lengths(0, 0, 0, 0, 0, 0, 0, width, 0, List.of());
    }
    int first = shortest / width;
    return new Lengths(
        count,
        sum,
        shortest,
        longest,
        quantile(0.5),
        quantile(0.9),
        quantile(0.99),
        width,
        first * width,
        Arrays.stream(counts, first, longest / width + 1).boxed().toList());
  }

  /** The largest length in the bucket in which the share is reached. */
  private int quantile(double share) {
    long wanted = (long) Math.ceil(share * count);
    long seen = 0;
    int bucket = -1;
    while (seen < wanted) {
      bucket++;
      seen += counts[bucket];
    }
    return Math.min(longest, (bucket + 1) * width - 1);
  }
}
