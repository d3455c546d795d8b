package dev.offload.engine.pass;

import dev.offload.sampling.WantedLogits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One sweep through the model: per micro-batch the chunks it computes.
 *
 * @param microBatches one list of chunks per KV group, possibly empty
 * @param logitsRows rows for which logits are wanted: first those that are wanted whole, then those
 *     of which the largest are enough
 * @param wholeRows how many are wanted whole
 * @param best what is wanted of the others, if there are any
 */
public record Pass(
    List<List<Chunk>> microBatches, int logitsRows, int wholeRows, Optional<WantedLogits> best) {
  /** Computes nothing. */
  public static final Pass NOTHING = new Pass(List.of(), 0, 0, Optional.empty());

  public Pass {
    microBatches = microBatches.stream().map(List::copyOf).toList();
  }

  /** A pass over these chunks, whose rows of logits it numbers. */
  static Pass of(List<List<Chunk>> microBatches) {
    int whole = 0;
    int rows = 0;
    Optional<WantedLogits> best = Optional.empty();
    for (List<Chunk> chunks : microBatches) {
      for (Chunk chunk : chunks) {
        rows += chunk.logitsRows();
        if (chunk.wantsAllLogits()) {
          whole += chunk.logitsRows();
        } else if (chunk.logitsRows() > 0) {
          WantedLogits wanted = chunk.sequence().wantedLogits();
          best = Optional.of(best.map(wanted::or).orElse(wanted));
        }
      }
    }
    int nextWhole = 0;
    int nextBest = whole;
    List<List<Chunk>> numbered = new ArrayList<>();
    for (List<Chunk> chunks : microBatches) {
      List<Chunk> batch = new ArrayList<>(chunks.size());
      for (Chunk chunk : chunks) {
        boolean all = chunk.wantsAllLogits();
        batch.add(chunk.withFirstLogitsRow(all ? nextWhole : nextBest));
        nextWhole += all ? chunk.logitsRows() : 0;
        nextBest += all ? 0 : chunk.logitsRows();
      }
      numbered.add(batch);
    }
    return new Pass(numbered, rows, whole, best);
  }

  /** Tokens of one micro-batch. */
  public int tokens(int microBatch) {
    return microBatches.get(microBatch).stream().mapToInt(Chunk::count).sum();
  }

  /** Tokens of all micro-batches. */
  public int tokens() {
    return microBatches.stream().flatMap(List::stream).mapToInt(Chunk::count).sum();
  }

  /** Sequences of which it computes something. */
  public int sequences() {
    return microBatches.stream().mapToInt(List::size).sum();
  }

  /** Those of its tokens that belong to prompts. */
  public int promptTokens() {
    return microBatches.stream().flatMap(List::stream).mapToInt(Chunk::promptTokens).sum();
  }

  /** Marks all chunks as computed. */
  public void advance() {
    microBatches.forEach(chunks -> chunks.forEach(c -> c.sequence().advance(c.contextLength())));
  }
}
