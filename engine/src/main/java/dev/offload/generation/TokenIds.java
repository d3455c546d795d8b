package dev.offload.generation;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** An immutable list of token ids without boxing. */
public final class TokenIds {
  private static final TokenIds EMPTY = new TokenIds(new int[0]);

  private final int[] ids;

  private TokenIds(int[] ids) {
    this.ids = ids;
  }

  public static TokenIds of(int... ids) {
    return ids.length == 0 ? EMPTY : new TokenIds(ids.clone());
  }

  public static TokenIds of(List<Integer> ids) {
    return new TokenIds(ids.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The first so many of them. */
  public TokenIds first(int count) {
    return of(Arrays.copyOf(ids, count));
  }

  public int size() {
    return ids.length;
  }

  public int get(int index) {
    return ids[index];
  }

  public IntStream stream() {
    return Arrays.stream(ids);
  }

  public int[] toArray() {
    return ids.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenIds that && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return Arrays.toString(ids);
  }
}
