package dev.offload.planner.profile;

import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * What passes have to multiply and to attend to.
 *
 * @param rows numbers of rows that are multiplied, ascending
 * @param decode sequences of which one row attends
 * @param prompts sequences that attend to themselves
 */
public record PassLoad(List<Integer> rows, Attended decode, Attended prompts) {
  /** So many numbers of rows are measured one by one; among more, powers of two. */
  private static final int MOST_EXACT = 8;

  public PassLoad {
    rows = List.copyOf(rows);
  }

  /**
   * Sequences of equal lengths.
   *
   * @param context tokens of the cache of each, its own included
   */
  public record Attended(int sequences, int context) {}

  /**
   * That of passes: numbers of rows as they have them, attention as in the largest micro-batches.
   *
   * @param mixtures whether rows are shared out among experts, so that some get any number of them
   */
  public static PassLoad of(List<PassShape> passes, boolean mixtures) {
    NavigableSet<Integer> rows = new TreeSet<>();
    for (PassShape pass : passes) {
      rows.add(pass.tokens());
      rows.add(pass.logitsRows());
      pass.microBatches().forEach(batch -> rows.add(batch.tokens()));
    }
    rows.remove(0);
    if (mixtures || rows.size() > MOST_EXACT) {
      int most = rows.last();
      if (rows.size() > MOST_EXACT) {
        rows.clear();
      }
      IntStream.iterate(1, each -> each <= most, each -> 2 * each).forEach(rows::add);
      rows.add(most);
    }
    Attended decode =
        largest(passes, MicroBatch::decoding)
            .map(
                batch ->
                    new Attended(
                        batch.decoding(), Math.toIntExact(batch.decodeKeys() / batch.decoding())))
            .orElse(new Attended(1, rows.last()));
    Attended prompts =
        largest(passes, MicroBatch::promptTokens)
            .map(
                batch -> {
                  int sequences = Math.max(1, batch.sequences() - batch.decoding());
                  return new Attended(sequences, batch.promptTokens() / sequences);
                })
            .orElse(new Attended(1, 1));
    return new PassLoad(List.copyOf(rows), decode, prompts);
  }

  private static Optional<MicroBatch> largest(
      List<PassShape> passes, ToIntFunction<MicroBatch> size) {
    List<MicroBatch> batches =
        passes.stream()
            .flatMap(pass -> pass.microBatches().stream())
            .filter(batch -> size.applyAsInt(batch) > 0)
            .toList();
    int most = batches.stream().mapToInt(size).max().orElse(0);
    // The one in the middle of those that are as large: its caches are as long as on average.
    List<MicroBatch> as = batches.stream().filter(batch -> size.applyAsInt(batch) == most).toList();
    return as.isEmpty() ? Optional.empty() : Optional.of(as.get(as.size() / 2));
  }
}
