package dev.offload.engine.prefix;

import dev.offload.generation.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/**
 * Takes rows from a source, some at a time, and gives them out so that those which share a prefix
 * of their prompts follow each other; otherwise in the source's order. Not thread-safe.
 *
 * @param <R> a row
 */
public final class PrefixWindow<R> {
  private final Source<R> source;
  private final Limits limits;
  private final Deque<Item<R>> ready = new ArrayDeque<>();

  /** Those of the last window, some of which may still be in the cache. */
  private List<TokenIds> prefixes = List.of();

  private boolean ended;

  /**
   * Where rows come from.
   *
   * @param next the next row, or empty when there are no more
   * @param hasMoreNow whether the next row, or that there is none, is known without a long wait
   * @param prompt of a row
   * @param sequences how many sequences a row is
   */
  public record Source<R>(
      Supplier<Optional<R>> next,
      BooleanSupplier hasMoreNow,
      Function<R, TokenIds> prompt,
      ToIntFunction<R> sequences) {}

  /**
   * What can be shared.
   *
   * @param blockTokens tokens of a cache block
   * @param mostPromptTokens longer prompts share nothing: their keys depend on how long they are
   */
  public record Limits(PrefixSharing sharing, int blockTokens, int mostPromptTokens) {}

  /**
   * A row.
   *
   * @param prefix first tokens of its prompt, whole blocks, that its neighbours begin with too; or
   *     none
   */
  public record Item<R>(R row, TokenIds prefix) {}

  public PrefixWindow(Source<R> source, Limits limits) {
    this.source = source;
    this.limits = limits;
  }

  /** The next row, or empty when there are no more. */
  public Optional<Item<R>> next() {
    if (ready.isEmpty() && !ended) {
      order(take());
    }
    return Optional.ofNullable(ready.poll());
  }

  /** As many rows as are there, at least one unless there are no more. */
  private List<R> take() {
    List<R> rows = new ArrayList<>();
    int sequences = 0;
    long tokens = 0;
    do {
      Optional<R> row = source.next.get();
      if (row.isEmpty()) {
        ended = true;
        break;
      }
      rows.add(row.get());
      sequences += source.sequences.applyAsInt(row.get());
      tokens += source.prompt.apply(row.get()).size();
    } while (sequences < limits.sharing.windowSequences()
        && tokens < limits.sharing.windowTokens()
        && source.hasMoreNow.getAsBoolean());
    return rows;
  }

  private void order(List<R> rows) {
    if (!limits.sharing.isOn()) {
      rows.forEach(row -> ready.add(new Item<>(row, TokenIds.of())));
      return;
    }
    List<TokenIds> prompts = new ArrayList<>();
    List<R> rowOfSequence = new ArrayList<>(); // of a row's first sequence; null for the others
    for (R row : rows) {
      for (int i = 0; i < source.sequences.applyAsInt(row); i++) {
        prompts.add(source.prompt.apply(row));
        rowOfSequence.add(i == 0 ? row : null);
      }
    }
    List<PrefixGroup> groups =
        PrefixPartition.of(prompts, prefixes, limits.blockTokens, limits.mostPromptTokens);
    List<TokenIds> found = new ArrayList<>();
    for (PrefixGroup group : continuedFirst(groups, prompts)) {
      TokenIds prefix = prompts.get(group.first()).first(group.tokens());
      if (group.tokens() > 0) {
        found.add(prefix);
      }
      group.members().stream()
          .map(rowOfSequence::get)
          .filter(Objects::nonNull)
          .forEach(row -> ready.add(new Item<>(row, prefix)));
    }
    prefixes = found;
  }

  /** The group that goes on with the prefix used last comes first. */
  private List<PrefixGroup> continuedFirst(List<PrefixGroup> groups, List<TokenIds> prompts) {
    if (prefixes.isEmpty()) {
      return groups;
    }
    TokenIds used = prefixes.getLast();
    List<PrefixGroup> ordered = new ArrayList<>(groups);
    for (PrefixGroup group : groups) {
      if (group.tokens() == used.size()
          && prompts.get(group.first()).first(group.tokens()).equals(used)) {
        ordered.remove(group);
        ordered.addFirst(group);
        return ordered;
      }
    }
    return ordered;
  }
}
