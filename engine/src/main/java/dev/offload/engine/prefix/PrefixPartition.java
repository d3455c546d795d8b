package dev.offload.engine.prefix;

import dev.offload.generation.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Parts prompts into groups that share a prefix, each prompt in one group, so that the fewest
 * tokens are computed in all. A group of c prompts that shares d tokens saves (c − 1) · d of them,
 * or c · d if the prefix is computed already. Only whole cache blocks are shared, and never a
 * prompt's last token, whose logits are wanted.
 *
 * <p>The prompts are a radix tree of blocks. At each of its nodes either all prompts below are one
 * group, or it is better to keep the groups below it: one walk from the leaves to the root decides.
 * The tree is never built; its nodes are the intervals of sorted prompts that have a number of
 * blocks in common (Abouelhoda, Kurtz and Ohlebusch, "Replacing suffix trees with enhanced suffix
 * arrays", 2004, algorithm 4.4).
 */
final class PrefixPartition {
  private final int blockTokens;
  private final List<Entry> sorted;

  /** How many of the first so many entries are prompts. */
  private final int[] promptsBefore;

  private final Deque<Node> open = new ArrayDeque<>();

  /** The groups found so far, by the place of their first entry. */
  private final List<Found> found = new ArrayList<>();

  private PrefixPartition(int blockTokens, List<Entry> sorted) {
    this.blockTokens = blockTokens;
    this.sorted = sorted;
    promptsBefore = new int[sorted.size() + 1];
    for (int i = 0; i < sorted.size(); i++) {
      promptsBefore[i + 1] = promptsBefore[i] + (sorted.get(i).isComputed() ? 0 : 1);
    }
  }

  /**
   * Finds the groups.
   *
   * @param prompts of the sequences, which are numbered as here
   * @param computed prefixes that are in the cache already
   * @param blockTokens tokens per cache block
   * @param mostPromptTokens longer prompts share nothing
   * @return all sequences, by the first member of their group
   */
  static List<PrefixGroup> of(
      List<TokenIds> prompts, List<TokenIds> computed, int blockTokens, int mostPromptTokens) {
    List<Entry> entries = new ArrayList<>();
    for (TokenIds prefix : computed) {
      entries.add(new Entry(Entry.COMPUTED, prefix, prefix.size() / blockTokens, blockTokens));
    }
    for (int i = 0; i < prompts.size(); i++) {
      int size = prompts.get(i).size();
      int blocks = size > mostPromptTokens ? 0 : (size - 1) / blockTokens;
      entries.add(new Entry(i, prompts.get(i), blocks, blockTokens));
    }
    Collections.sort(entries);
    return new PrefixPartition(blockTokens, entries).groups();
  }

  private List<PrefixGroup> groups() {
    open.push(new Node(0, 0, 0));
    for (int i = 1; i < sorted.size(); i++) {
      next(i, sorted.get(i - 1).tokensInCommon(sorted.get(i)) / blockTokens);
    }
    next(sorted.size(), 0);
    List<PrefixGroup> groups = new ArrayList<>();
    int next = 0;
    for (Found group : found) {
      addAlone(next, group.begin, groups);
      groups.add(new PrefixGroup(group.blocks * blockTokens, members(group.begin, group.end)));
      next = group.end;
    }
    addAlone(next, sorted.size(), groups);
    groups.sort(Comparator.comparingInt(PrefixGroup::first));
    return groups;
  }

  /** Closes the nodes that end before entry i, which has so many blocks in common with the last. */
  private void next(int i, int common) {
    int begin = i - 1;
    int foundBefore = found.size();
    long saved = 0;
    while (open.element().blocks > common) {
      Node node = open.pop();
      saved = close(node, i);
      begin = node.begin;
      foundBefore = node.foundBefore;
      if (common <= open.element().blocks) {
        open.element().savedBelow += saved;
        saved = 0;
      }
    }
    if (open.element().blocks < common) {
      Node node = new Node(common, begin, foundBefore);
      node.savedBelow = saved;
      open.push(node);
    }
  }

  /** Makes one group of a node if that is better than those below it; returns what is saved. */
  private long close(Node node, int end) {
    long saved = saved(node, end);
    if (saved <= 0 || saved < node.savedBelow) {
      return node.savedBelow;
    }
    found.subList(node.foundBefore, found.size()).clear();
    found.add(new Found(node.begin, end, node.blocks));
    return saved;
  }

  private long saved(Node node, int end) {
    int members = promptsBefore[end] - promptsBefore[node.begin];
    Entry first = sorted.get(node.begin);
    // A computed prefix comes before all that begin with it.
    boolean isThere = first.isComputed() && first.shared == node.blocks * blockTokens;
    return (members - (isThere ? 0L : 1L)) * node.blocks;
  }

  private List<Integer> members(int begin, int end) {
    return IntStream.range(begin, end)
        .mapToObj(sorted::get)
        .filter(entry -> !entry.isComputed())
        .map(Entry::number)
        .sorted()
        .toList();
  }

  private void addAlone(int begin, int end, List<PrefixGroup> groups) {
    for (int number : members(begin, end)) {
      groups.add(new PrefixGroup(0, List.of(number)));
    }
  }

  /** A prompt, or a prefix that is computed already. */
  private static final class Entry implements Comparable<Entry> {
    private static final int COMPUTED = -1;

    private final int number;
    private final int[] tokens;
    private final int shared;

    Entry(int number, TokenIds tokens, int blocks, int blockTokens) {
      this.number = number;
      this.tokens = tokens.toArray();
      this.shared = blocks * blockTokens;
    }

    boolean isComputed() {
      return number == COMPUTED;
    }

    int number() {
      return number;
    }

    int tokensInCommon(Entry other) {
      int mismatch = Arrays.mismatch(tokens, 0, shared, other.tokens, 0, other.shared);
      return mismatch < 0 ? shared : mismatch;
    }

    @Override
    public int compareTo(Entry other) {
      int order = Arrays.compare(tokens, 0, shared, other.tokens, 0, other.shared);
      return order != 0 ? order : Integer.compare(number, other.number);
    }
  }

  /** Entries that have some blocks in common; open as long as the next entry may be one of them. */
  private static final class Node {
    private final int blocks;
    private final int begin;
    private final int foundBefore;
    private long savedBelow;

    Node(int blocks, int begin, int foundBefore) {
      this.blocks = blocks;
      this.begin = begin;
      this.foundBefore = foundBefore;
    }
  }

  private record Found(int begin, int end, int blocks) {}
}
