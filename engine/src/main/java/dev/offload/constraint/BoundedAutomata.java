package dev.offload.constraint;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.TooComplexToDeterminizeException;
import org.apache.lucene.util.automaton.UTF32ToUTF8;

/**
 * Operations on automata that refuse to grow one beyond {@value #MAX_STATES} states. Automata are
 * never changed once made, so parts may be shared.
 */
final class BoundedAutomata {
  /** Most states of an automaton. A character of a JSON string of bounded length takes 32. */
  static final int MAX_STATES = 100_000;

  /** In Lucene's measure: room for all states with a few parts each; a second of work or two. */
  private static final int DETERMINIZE_WORK = 60_000;

  private static final Automaton VALID_UTF8 = validUtf8();

  private BoundedAutomata() {}

  static Automaton concatenate(List<Automaton> parts) {
    requireStates(parts.stream().mapToLong(Automaton::getNumStates).sum());
    return parts.size() == 1 ? parts.getFirst() : Operations.concatenate(parts);
  }

  static Automaton union(List<Automaton> parts) {
    requireStates(parts.stream().mapToLong(Automaton::getNumStates).sum());
    return parts.size() == 1 ? parts.getFirst() : Operations.union(parts);
  }

  /**
   * From {@code least} to {@code most} times.
   *
   * @param most −1: without end
   */
  static Automaton repeat(Automaton part, int least, int most) {
    requireStates((long) part.getNumStates() * Math.max(1, Math.max(least, most)));
    if (most == 0) {
      return Automata.makeEmptyString();
    }
    return most < 0 ? Operations.repeat(part, least) : Operations.repeat(part, least, most);
  }

  static Automaton intersection(Automaton one, Automaton other) {
    Automaton both = Operations.intersection(determinized(one), determinized(other));
    requireStates(both.getNumStates());
    return both;
  }

  /** The deterministic automaton without dead states. */
  static Automaton determinized(Automaton automaton) {
    try {
      Automaton result =
          Operations.removeDeadStates(Operations.determinize(automaton, DETERMINIZE_WORK));
      requireStates(result.getNumStates());
      return result;
    } catch (TooComplexToDeterminizeException e) {
      throw tooLarge(e);
    }
  }

  /** The deterministic automaton over the bytes of UTF-8 for one over characters. */
  static Automaton toUtf8(Automaton characters) {
    // Where a range has characters of several lengths, Lucene lets overlong forms through, because
    // what it reads is valid before.
    Automaton bytes = new UTF32ToUTF8().convert(determinized(characters));
    return intersection(bytes, VALID_UTF8);
  }

  /** Unicode 17, table 3-7: well-formed UTF-8 byte sequences. */
  private static Automaton validUtf8() {
    Automaton any = Automata.makeCharRange(0x80, 0xBF);
    return Operations.repeat(
        Operations.union(
            List.of(
                Automata.makeCharRange(0x00, 0x7F),
                sequence(0xC2, 0xDF, any),
                sequence(0xE0, 0xE0, Automata.makeCharRange(0xA0, 0xBF), any),
                sequence(0xE1, 0xEC, any, any),
                sequence(0xED, 0xED, Automata.makeCharRange(0x80, 0x9F), any),
                sequence(0xEE, 0xEF, any, any),
                sequence(0xF0, 0xF0, Automata.makeCharRange(0x90, 0xBF), any, any),
                sequence(0xF1, 0xF3, any, any, any),
                sequence(0xF4, 0xF4, Automata.makeCharRange(0x80, 0x8F), any, any))));
  }

  private static Automaton sequence(int first, int last, Automaton... others) {
    List<Automaton> bytes = new ArrayList<>(List.of(Automata.makeCharRange(first, last)));
    bytes.addAll(List.of(others));
    return Operations.concatenate(bytes);
  }

  static void requireStates(long states) {
    if (states > MAX_STATES) {
      throw tooLarge(null);
    }
  }

  private static IllegalArgumentException tooLarge(Throwable cause) {
    return new IllegalArgumentException(
        "it needs an automaton of more than %,d states; use smaller counts and fewer alternatives"
            .formatted(MAX_STATES),
        cause);
  }
}
