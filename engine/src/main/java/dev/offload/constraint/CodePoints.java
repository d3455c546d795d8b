package dev.offload.constraint;

import java.util.BitSet;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;

/** A set of Unicode characters. Surrogates are never members: UTF-8 has none. Immutable. */
final class CodePoints {
  private static final int COUNT = Character.MAX_CODE_POINT + 1;

  static final CodePoints NONE = new CodePoints(new BitSet());
  static final CodePoints ALL = NONE.inverted();
  static final CodePoints DIGITS = range('0', '9');
  static final CodePoints WORD = range('A', 'Z').and(range('a', 'z')).and(DIGITS).and(of('_'));
  static final CodePoints SPACES = of(' ').and(range('\t', '\r'));

  /** What ends a line in any dialect. */
  static final CodePoints LINE_ENDS =
      of('\n').and(of('\r')).and(of(0x85)).and(range(0x2028, 0x2029));

  private final BitSet members;

  private CodePoints(BitSet members) {
    this.members = members;
  }

  static CodePoints of(int character) {
    return range(character, character);
  }

  static CodePoints range(int first, int last) {
    BitSet members = new BitSet();
    members.set(first, last + 1);
    return new CodePoints(withoutSurrogates(members));
  }

  /** The members of both. */
  CodePoints and(CodePoints others) {
    BitSet union = (BitSet) members.clone();
    union.or(others.members);
    return new CodePoints(union);
  }

  CodePoints inverted() {
    BitSet inverted = (BitSet) members.clone();
    inverted.flip(0, COUNT);
    return new CodePoints(withoutSurrogates(inverted));
  }

  private static BitSet withoutSurrogates(BitSet members) {
    members.clear(Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1);
    return members;
  }

  boolean isEmpty() {
    return members.isEmpty();
  }

  /** The member if there is just one. */
  OptionalInt single() {
    return members.cardinality() == 1 ? OptionalInt.of(members.nextSetBit(0)) : OptionalInt.empty();
  }

  /** Accepts one character of the set. */
  Automaton toAutomaton() {
    IntStream.Builder first = IntStream.builder();
    IntStream.Builder last = IntStream.builder();
    for (int from = members.nextSetBit(0); from >= 0; ) {
      int to = members.nextClearBit(from);
      first.add(from);
      last.add(to - 1);
      from = members.nextSetBit(to);
    }
    return Automata.makeCharClass(first.build().toArray(), last.build().toArray());
  }
}
