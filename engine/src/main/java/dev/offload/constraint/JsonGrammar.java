package dev.offload.constraint;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Transition;

/**
 * JSON as automata over characters. Texts are written with the shortest escapes; a colon or comma
 * between values may be followed by one space, and nothing else is white space.
 */
final class JsonGrammar {
  /** How deep arrays and objects are nested in a value that no schema describes. */
  static final int FREE_DEPTH = 5;

  /** Most digits before the point: a whole number fits 64 bits. */
  static final int MAX_DIGITS = 18;

  /** Most digits behind the point: more tell doubles below 1 no further apart. */
  static final int MAX_FRACTION_DIGITS = 17;

  static final Automaton NULL = Automata.makeString("null");
  static final Automaton BOOLEAN = RegexParser.whole("true|false");
  static final Automaton INTEGER = RegexParser.whole("0|-?[1-9][0-9]{0,17}");
  static final Automaton NUMBER =
      RegexParser.whole("-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?");

  private static final Automaton CHARACTERS =
      BoundedAutomata.repeat(CodePoints.ALL.toAutomaton(), 0, -1);
  static final Automaton STRING = string(CHARACTERS);

  private static final Automaton COLON = RegexParser.whole(": ?");
  private static final int FIRST_PLAIN = ' ';
  private static final String SHORT_ESCAPES = "\b\t\n\f\r";
  private static final String SHORT_ESCAPE_LETTERS = "btnfr";

  private JsonGrammar() {}

  /** A property of an object. */
  record Property(String name, Automaton value, boolean required) {}

  /** Texts of so many characters; {@code most} −1 for any number. */
  static Automaton characters(int least, int most) {
    return least == 0 && most < 0
        ? CHARACTERS
        : BoundedAutomata.repeat(CodePoints.ALL.toAutomaton(), least, most);
  }

  /** The JSON strings that stand for the texts of an automaton. */
  static Automaton string(Automaton texts) {
    Automaton quote = Automata.makeChar('"');
    return BoundedAutomata.concatenate(List.of(quote, escaped(texts), quote));
  }

  private static Automaton escaped(Automaton texts) {
    Automaton.Builder escaped = new Automaton.Builder();
    escaped.copyStates(texts);
    Transition edge = new Transition();
    for (int state = 0; state < texts.getNumStates(); state++) {
      int edges = texts.initTransition(state, edge);
      for (int i = 0; i < edges; i++) {
        texts.getNextTransition(edge);
        addEscaped(escaped, edge);
      }
      BoundedAutomata.requireStates(escaped.getNumStates());
    }
    return escaped.finish();
  }

  private static void addEscaped(Automaton.Builder to, Transition edge) {
    addPlain(to, edge, FIRST_PLAIN, '"' - 1);
    addPlain(to, edge, '"' + 1, '\\' - 1);
    addPlain(to, edge, '\\' + 1, Character.MAX_CODE_POINT);
    boolean quote = edge.min <= '"' && '"' <= edge.max;
    boolean backslash = edge.min <= '\\' && '\\' <= edge.max;
    if (edge.min >= FIRST_PLAIN && !quote && !backslash) {
      return;
    }
    int slash = to.createState();
    to.addTransition(edge.source, slash, '\\');
    if (quote) {
      to.addTransition(slash, edge.dest, '"');
    }
    if (backslash) {
      to.addTransition(slash, edge.dest, '\\');
    }
    if (edge.min < FIRST_PLAIN) {
      addControls(to, slash, edge);
    }
  }

  private static void addPlain(Automaton.Builder to, Transition edge, int first, int last) {
    int from = Math.max(edge.min, first);
    int until = Math.min(edge.max, last);
    if (from <= until) {
      to.addTransition(edge.source, edge.dest, from, until);
    }
  }

  /** Control characters: {@code \n} and the like, and the others as {@code \}{@code u001f}. */
  private static void addControls(Automaton.Builder to, int slash, Transition edge) {
    int[] sixteens = {-1, -1};
    for (int c = edge.min; c < FIRST_PLAIN && c <= edge.max; c++) {
      int known = SHORT_ESCAPES.indexOf(c);
      if (known >= 0) {
        to.addTransition(slash, edge.dest, SHORT_ESCAPE_LETTERS.charAt(known));
        continue;
      }
      if (sixteens[0] < 0) {
        addZeros(to, slash, sixteens);
      }
      char digit = Character.forDigit(c & 0xF, 16);
      to.addTransition(sixteens[c >> 4], edge.dest, digit);
      if (digit >= 'a') {
        to.addTransition(sixteens[c >> 4], edge.dest, Character.toUpperCase(digit));
      }
    }
  }

  /** Makes the states behind {@code u000} and {@code u001}. */
  private static void addZeros(Automaton.Builder to, int slash, int[] sixteens) {
    int u = to.createState();
    int zero = to.createState();
    int zeros = to.createState();
    sixteens[0] = to.createState();
    sixteens[1] = to.createState();
    to.addTransition(slash, u, 'u');
    to.addTransition(u, zero, '0');
    to.addTransition(zero, zeros, '0');
    to.addTransition(zeros, sixteens[0], '0');
    to.addTransition(zeros, sixteens[1], '1');
  }

  /**
   * Arrays of items.
   *
   * @param most −1: without end
   */
  static Automaton array(Automaton item, int least, int most) {
    int copies = most < 0 ? Math.max(1, least) : most;
    BoundedAutomata.requireStates((long) copies * item.getNumStates());
    Sequence array = new Sequence('[', ']');
    for (int i = 0; i < copies; i++) {
      array.add(item, i < least);
    }
    return array.finish(most < 0);
  }

  /** Arrays of just these items. */
  static Automaton tuple(List<Automaton> items) {
    Sequence array = new Sequence('[', ']');
    items.forEach(item -> array.add(item, true));
    return array.finish(false);
  }

  /** Objects with the properties in their order; those not required may be missing. */
  static Automaton object(List<Property> properties) {
    Sequence object = new Sequence('{', '}');
    for (Property property : properties) {
      object.add(property(property.name(), property.value()), property.required());
    }
    return object.finish(false);
  }

  private static Automaton property(String name, Automaton value) {
    return BoundedAutomata.concatenate(List.of(string(Automata.makeString(name)), COLON, value));
  }

  /** Objects with any names, all of whose values are of one kind. */
  static Automaton objectOf(Automaton value) {
    Sequence object = new Sequence('{', '}');
    object.add(BoundedAutomata.concatenate(List.of(STRING, COLON, value)), false);
    return object.finish(true);
  }

  /** Any value with arrays and objects nested up to so deep. */
  static Automaton any(int depth) {
    List<Automaton> kinds = new ArrayList<>(List.of(NULL, BOOLEAN, NUMBER, STRING));
    if (depth > 0) {
      Automaton inner = any(depth - 1);
      kinds.add(array(inner, 0, -1));
      kinds.add(objectOf(inner));
    }
    return BoundedAutomata.union(kinds);
  }

  /** Any object; it is the first of the levels that {@link #FREE_DEPTH} counts. */
  static Automaton anyObject() {
    return objectOf(any(FREE_DEPTH - 1));
  }

  /** Any array, likewise. */
  static Automaton anyArray() {
    return array(any(FREE_DEPTH - 1), 0, -1);
  }

  /** Elements between brackets with commas between them, each element there once. */
  private static final class Sequence {
    private final Automaton.Builder builder = new Automaton.Builder();
    private final List<Element> elements = new ArrayList<>();
    private final int closing;
    private final int start;
    private final int opened;
    private final int closed;

    /**
     * @param ends states behind it
     * @param comma behind the comma before it
     */
    private record Element(int begin, List<Integer> ends, int comma, boolean required) {}

    Sequence(int opening, int closing) {
      this.closing = closing;
      start = builder.createState();
      opened = builder.createState();
      closed = builder.createState();
      builder.addTransition(start, opened, opening);
      builder.setAccept(closed, true);
    }

    void add(Automaton element, boolean required) {
      int offset = builder.getNumStates();
      BoundedAutomata.requireStates((long) offset + element.getNumStates());
      builder.copy(element);
      List<Integer> ends = new ArrayList<>();
      for (int state = offset; state < builder.getNumStates(); state++) {
        if (builder.isAccept(state)) {
          builder.setAccept(state, false);
          ends.add(state);
        }
      }
      int comma = builder.createState();
      int space = builder.createState();
      builder.addTransition(comma, space, ' ');
      builder.addEpsilon(comma, offset);
      builder.addEpsilon(space, offset);
      elements.add(new Element(offset, ends, comma, required));
    }

    /**
     * @param repeats the last element may come again and again
     */
    Automaton finish(boolean repeats) {
      for (int i = 0; i < elements.size(); i++) {
        boolean last = i == elements.size() - 1;
        for (int end : elements.get(i).ends()) {
          follow(end, i + 1, true);
          if (last && repeats) {
            builder.addTransition(end, elements.get(i).comma(), ',');
          }
        }
      }
      follow(opened, 0, false);
      return builder.finish();
    }

    /** Lets what may follow follow: elements up to the first required one, or the end. */
    private void follow(int state, int from, boolean comma) {
      for (int i = from; i < elements.size(); i++) {
        Element next = elements.get(i);
        if (comma) {
          builder.addTransition(state, next.comma(), ',');
        } else {
          builder.addEpsilon(state, next.begin());
        }
        if (next.required()) {
          return;
        }
      }
      builder.addTransition(state, closed, closing);
    }
  }
}
