package dev.offload.text.jinja;

import java.util.AbstractList;
import java.util.List;

/** Python's tuple: a list that is printed with parentheses. Immutable. */
final class Tuple extends AbstractList<Object> {
  private final Object[] items;

  private Tuple(Object[] items) {
    this.items = items;
  }

  /** Items may be undefined, which is null. */
  static Tuple of(List<?> items) {
    return new Tuple(items.toArray());
  }

  @Override
  public Object get(int index) {
    return items[index];
  }

  @Override
  public int size() {
    return items.length;
  }
}
