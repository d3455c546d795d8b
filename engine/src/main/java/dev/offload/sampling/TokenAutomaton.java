package dev.offload.sampling;

import dev.offload.constraint.TextConstraint;
import dev.offload.generation.TokenIds;
import java.util.BitSet;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.ByteRunAutomaton;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.Transition;

/**
 * A constraint as the tokens of one tokenizer can keep it: which tokens may come in a state, and
 * the state behind them. From every state that tokens lead to, tokens lead to an accepting one.
 * Immutable.
 */
final class TokenAutomaton {
  private static final int BYTES = 256;

  private final TokenTexts tokens;
  private final TokenIds ends;
  private final ByteRunAutomaton automaton;
  private final BitSet inner;

  /**
   * @param ends tokens that end an output, whatever text they may have
   * @throws IllegalArgumentException if the tokens cannot write any text that the constraint allows
   */
  TokenAutomaton(TextConstraint constraint, TokenTexts tokens, TokenIds ends) {
    this.tokens = tokens;
    this.ends = ends;
    Automaton written = withBlanks(constraint.bytes(), tokens.blanksDropped());
    Automaton writable = restricted(written, tokens.later().singleBytes(bits(ends)));
    automaton = new ByteRunAutomaton(writable, true);
    inner = new BitSet();
    for (int state = 0; state < writable.getNumStates(); state++) {
      inner.set(state, writable.getNumTransitions(state) > 0);
    }
    if (Operations.isEmpty(writable) || mask(start(), true).count() == 0) {
      throw new IllegalArgumentException(
          "the model's tokenizer has no tokens for any text that the constraint allows");
    }
  }

  private static BitSet bits(TokenIds ids) {
    BitSet bits = new BitSet();
    ids.stream().forEach(bits::set);
    return bits;
  }

  /**
   * What the tokens have to write so that a text is left when blanks at the start are dropped: the
   * text behind all the blanks that are, or behind fewer if it does not begin with one.
   */
  private static Automaton withBlanks(Automaton texts, int dropped) {
    if (dropped == 0) {
      return texts;
    }
    Automaton.Builder written = new Automaton.Builder();
    for (int blanks = 0; blanks < dropped; blanks++) {
      written.createState();
    }
    written.copy(texts);
    Transition edge = new Transition();
    for (int blanks = 0; blanks < dropped; blanks++) {
      written.setAccept(blanks, texts.isAccept(0));
      written.addTransition(blanks, blanks + 1, ' ');
      int edges = texts.initTransition(0, edge);
      for (int i = 0; i < edges; i++) {
        texts.getNextTransition(edge);
        addWithoutBlank(written, blanks, dropped + edge.dest, edge);
      }
    }
    return written.finish();
  }

  private static void addWithoutBlank(
      Automaton.Builder written, int from, int to, Transition edge) {
    if (edge.min < ' ') {
      written.addTransition(from, to, edge.min, Math.min(edge.max, ' ' - 1));
    }
    if (edge.max > ' ') {
      written.addTransition(from, to, Math.max(edge.min, ' ' + 1), edge.max);
    }
  }

  /**
   * Leaves out what needs a byte that is no token by itself. Where all bytes are, each that the
   * automaton reads can be written, so no token leads to a place where none can follow.
   */
  private static Automaton restricted(Automaton written, BitSet bytes) {
    if (bytes.cardinality() == BYTES) {
      return written;
    }
    Automaton.Builder restricted = new Automaton.Builder();
    restricted.copyStates(written);
    Transition edge = new Transition();
    for (int state = 0; state < written.getNumStates(); state++) {
      int edges = written.initTransition(state, edge);
      for (int i = 0; i < edges; i++) {
        written.getNextTransition(edge);
        for (int value = edge.min; value <= edge.max; value++) {
          if (bytes.get(value)) {
            restricted.addTransition(state, edge.dest, value);
          }
        }
      }
    }
    return Operations.removeDeadStates(restricted.finish());
  }

  /** The state before the first token. */
  int start() {
    return 0;
  }

  /** The state behind a token that its mask allows and that ends nothing. */
  int next(int state, int token, boolean first) {
    int next = state;
    for (byte each : tokens.bytes(token, first)) {
      next = automaton.step(next, Byte.toUnsignedInt(each));
    }
    return next;
  }

  /** Whether the text is complete in this state and cannot go on. */
  boolean isFinal(int state) {
    return !inner.get(state);
  }

  /** The tokens that may come in a state. Looks at the whole vocabulary. */
  TokenMask mask(int state, boolean first) {
    long[] allowed = new long[(tokens.vocabularySize() + Long.SIZE - 1) / Long.SIZE];
    (first ? tokens.first() : tokens.later()).markReadable(automaton, state, allowed);
    for (int i = 0; i < ends.size(); i++) {
      long bit = 1L << ends.get(i);
      long others = allowed[ends.get(i) >> 6] & ~bit;
      allowed[ends.get(i) >> 6] = automaton.isAccept(state) ? others | bit : others;
    }
    return new TokenMask(allowed, tokens.vocabularySize());
  }
}
