package dev.offload.sampling;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.apache.lucene.util.automaton.ByteRunAutomaton;

/**
 * Tokens by the bytes that they add to a text, as a tree whose nodes are bytes, in depth-first
 * order, so that all tokens with a common beginning are passed over at once. Immutable.
 */
final class TokenTrie {
  /** Ids in the order of their bytes; those of a node stand together, in the order of nodes. */
  private final int[] tokens;

  private byte[] labels = new byte[1 << 10];
  private int[] depths = new int[1 << 10];

  /** The first node behind all that is below a node. */
  private int[] ends = new int[1 << 10];

  /** Where a node's tokens begin among {@link #tokens}. */
  private int[] firstTokens = new int[1 << 10];

  private int nodes;
  private int deepest;
  private final int rootTokens;

  /**
   * @param bytes by token id; null for tokens left out
   */
  TokenTrie(List<byte[]> bytes) {
    Integer[] sorted = sorted(bytes);
    tokens = new int[sorted.length];
    int[] path =
        new int[1 + Arrays.stream(sorted).mapToInt(t -> bytes.get(t).length).max().orElse(0)];
    byte[] before = {};
    int empty = 0;
    for (int i = 0; i < sorted.length; i++) {
      byte[] word = bytes.get(sorted[i]);
      int shared = common(before, word);
      close(path, shared, before.length);
      for (int depth = shared + 1; depth <= word.length; depth++) {
        path[depth] = addNode(word[depth - 1], depth, i);
      }
      tokens[i] = sorted[i];
      empty += word.length == 0 ? 1 : 0;
      before = word;
    }
    close(path, 0, before.length);
    rootTokens = empty;
    deepest = path.length - 1;
    trim();
  }

  private static Integer[] sorted(List<byte[]> bytes) {
    Integer[] ids = new Integer[(int) bytes.stream().filter(each -> each != null).count()];
    int count = 0;
    for (int id = 0; id < bytes.size(); id++) {
      if (bytes.get(id) != null) {
        ids[count++] = id;
      }
    }
    Arrays.sort(ids, (a, b) -> Arrays.compareUnsigned(bytes.get(a), bytes.get(b)));
    return ids;
  }

  private static int common(byte[] one, byte[] other) {
    int mismatch = Arrays.mismatch(one, other);
    return mismatch < 0 ? one.length : mismatch;
  }

  /** Ends the nodes of a path that are deeper than {@code kept}. */
  private void close(int[] path, int kept, int length) {
    for (int depth = kept + 1; depth <= length; depth++) {
      ends[path[depth]] = nodes;
    }
  }

  private int addNode(byte label, int depth, int firstToken) {
    if (nodes == labels.length) {
      labels = Arrays.copyOf(labels, 2 * nodes);
      depths = Arrays.copyOf(depths, 2 * nodes);
      ends = Arrays.copyOf(ends, 2 * nodes);
      firstTokens = Arrays.copyOf(firstTokens, 2 * nodes);
    }
    labels[nodes] = label;
    depths[nodes] = depth;
    firstTokens[nodes] = firstToken;
    return nodes++;
  }

  private void trim() {
    labels = Arrays.copyOf(labels, nodes);
    depths = Arrays.copyOf(depths, nodes);
    ends = Arrays.copyOf(ends, nodes);
    firstTokens = Arrays.copyOf(firstTokens, nodes + 1);
    firstTokens[nodes] = tokens.length;
  }

  /** Sets a bit for each token whose bytes an automaton can read in a state. */
  void markReadable(ByteRunAutomaton automaton, int state, long[] bits) {
    int[] states = new int[deepest + 1];
    states[0] = state;
    mark(0, rootTokens, bits);
    int node = 0;
    while (node < nodes) {
      int depth = depths[node];
      int next = automaton.step(states[depth - 1], Byte.toUnsignedInt(labels[node]));
      if (next < 0) {
        node = ends[node];
        continue;
      }
      states[depth] = next;
      mark(firstTokens[node], firstTokens[node + 1], bits);
      node++;
    }
  }

  private void mark(int from, int to, long[] bits) {
    for (int i = from; i < to; i++) {
      bits[tokens[i] >> 6] |= 1L << tokens[i];
    }
  }

  /** The bytes that are tokens by themselves, not counting some tokens. */
  BitSet singleBytes(BitSet without) {
    BitSet bytes = new BitSet();
    for (int node = 0; node < nodes; node++) {
      for (int i = firstTokens[node]; depths[node] == 1 && i < firstTokens[node + 1]; i++) {
        if (!without.get(tokens[i])) {
          bytes.set(Byte.toUnsignedInt(labels[node]));
        }
      }
    }
    return bytes;
  }
}
