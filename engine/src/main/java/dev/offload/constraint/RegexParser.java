package dev.offload.constraint;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;

/**
 * Reads a regular expression as an automaton over characters. What Java, Python and ECMAScript
 * write and mean alike is read; all else is refused with its place.
 */
final class RegexParser {
  private static final int MAX_CHARACTERS = 20_000;
  private static final int MAX_DEPTH = 100;
  private static final int MAX_COUNT = 100_000;
  private static final Automaton ANYTHING =
      BoundedAutomata.repeat(CodePoints.ALL.toAutomaton(), 0, -1);

  private final int[] regex;
  private final boolean searching;
  private int at;
  private int depth;

  private RegexParser(String regex, boolean searching) {
    if (regex.length() > MAX_CHARACTERS) {
      throw new IllegalArgumentException(
          "the regex has %,d characters, at most %,d are allowed"
              .formatted(regex.length(), MAX_CHARACTERS));
    }
    this.regex = regex.codePoints().toArray();
    this.searching = searching;
  }

  /** Accepts the texts that match from beginning to end. */
  static Automaton whole(String regex) {
    return new RegexParser(regex, false).parse();
  }

  /** Accepts the texts in which a match is found. */
  static Automaton found(String regex) {
    return new RegexParser(regex, true).parse();
  }

  private Automaton parse() {
    Automaton all = alternatives();
    if (!atEnd()) {
      throw refusal(at, "there is no group that this closes; write \\) for the character");
    }
    return all;
  }

  private Automaton alternatives() {
    List<Automaton> alternatives = new ArrayList<>();
    do {
      alternatives.add(sequence());
    } while (take('|'));
    return BoundedAutomata.union(alternatives);
  }

  private Automaton sequence() {
    List<Automaton> parts = new ArrayList<>();
    boolean outermost = depth == 0;
    boolean begins = outermost && take('^');
    if (outermost && searching && !begins) {
      parts.add(ANYTHING);
    }
    boolean ends = false;
    while (!atEnd() && peek() != '|' && peek() != ')' && !ends) {
      ends = outermost && endsHere();
      if (!ends) {
        parts.add(quantified(atom()));
      }
    }
    if (outermost && searching && !ends) {
      parts.add(ANYTHING);
    }
    return parts.isEmpty() ? Automata.makeEmptyString() : BoundedAutomata.concatenate(parts);
  }

  /** Takes a $ that ends an alternative. */
  private boolean endsHere() {
    boolean last = at + 1 == regex.length || regex[at + 1] == '|';
    return last && take('$');
  }

  private Automaton quantified(Automaton atom) {
    int start = at;
    int least;
    int most;
    if (take('*')) {
      least = 0;
      most = -1;
    } else if (take('+')) {
      least = 1;
      most = -1;
    } else if (take('?')) {
      least = 0;
      most = 1;
    } else if (take('{')) {
      least = count(start);
      most = !take(',') ? least : peekIs('}') ? -1 : count(start);
      expect('}', start, "a count is written {2}, {2,} or {2,5}; write \\{ for the character");
      if (most >= 0 && most < least) {
        throw refusal(start, "the largest count is below the smallest");
      }
    } else {
      return atom;
    }
    take('?'); // a lazy quantifier matches the same texts
    if (peekIs('*') || peekIs('+') || peekIs('?') || peekIs('{')) {
      throw refusal(at, "a quantifier follows a quantifier; put the first into (?:…)");
    }
    return BoundedAutomata.repeat(atom, least, most);
  }

  private int count(int start) {
    int from = at;
    int value = 0;
    while (!atEnd() && peek() >= '0' && peek() <= '9' && value <= MAX_COUNT) {
      value = 10 * value + (regex[at++] - '0');
    }
    if (at == from) {
      throw refusal(start, "a count is missing; write \\{ for the character");
    }
    if (value > MAX_COUNT) {
      throw refusal(start, "the count is above %,d".formatted(MAX_COUNT));
    }
    return value;
  }

  private Automaton atom() {
    int start = at;
    int c = regex[at++];
    return switch (c) {
      case '(' -> group(start);
      case '[' -> characterClass(start).toAutomaton();
      case '.' -> CodePoints.LINE_ENDS.inverted().toAutomaton();
      case '\\' -> escape(start).toAutomaton();
      case '^', '$' ->
          throw refusal(
              start, "it is supported at the beginning and end only; write \\" + (char) c);
      case '*', '+', '?', '{' ->
          throw refusal(start, "there is nothing to repeat; write \\" + (char) c);
      default -> literal(start, c).toAutomaton();
    };
  }

  private CodePoints literal(int start, int c) {
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      throw refusal(start, "it is half of a surrogate pair");
    }
    return CodePoints.of(c);
  }

  private Automaton group(int start) {
    if (take('?') && !take(':')) {
      at += atEnd() ? 0 : 1;
      throw refusal(start, "of groups that begin with (? only (?:…) is supported");
    }
    if (++depth > MAX_DEPTH) {
      throw refusal(start, "groups are nested more than %d deep".formatted(MAX_DEPTH));
    }
    Automaton inside = alternatives();
    depth--;
    expect(')', start, "the group is not closed");
    return inside;
  }

  private CodePoints characterClass(int start) {
    boolean inverted = take('^');
    CodePoints members = CodePoints.NONE;
    if (peekIs(']')) {
      throw refusal(at, "a class is empty; write \\] for the character");
    }
    while (!peekIs(']')) {
      members = members.and(classItem(start));
    }
    at++;
    CodePoints result = inverted ? members.inverted() : members;
    if (result.isEmpty()) {
      throw refusal(start, "no character is in this class");
    }
    return result;
  }

  /** A character, a range or an escape such as \d. */
  private CodePoints classItem(int start) {
    int from = at;
    CodePoints first = classMember(start);
    boolean range = peekIs('-') && at + 1 < regex.length && regex[at + 1] != ']';
    if (!range) {
      return first;
    }
    at++;
    int low = single(from, first);
    int to = at;
    int high = single(to, classMember(start));
    if (high < low) {
      throw refusal(from, "the range ends before it begins");
    }
    return CodePoints.range(low, high);
  }

  private CodePoints classMember(int start) {
    if (atEnd()) {
      throw refusal(start, "the class is not closed");
    }
    int from = at;
    int c = regex[at++];
    boolean doubled = (c == '&' || c == '~' || c == '|' || c == '-') && peekIs(c);
    if (c == '[' || doubled) {
      throw refusal(from, "dialects read this differently inside a class; write \\" + (char) c);
    }
    return c == '\\' ? escape(from) : literal(from, c);
  }

  private int single(int from, CodePoints members) {
    return members.single().orElseThrow(() -> refusal(from, "it cannot be part of a range"));
  }

  private CodePoints escape(int start) {
    if (atEnd()) {
      throw refusal(start, "the escape is not complete");
    }
    int c = regex[at++];
    return switch (c) {
      case 'd' -> CodePoints.DIGITS;
      case 'D' -> CodePoints.DIGITS.inverted();
      case 'w' -> CodePoints.WORD;
      case 'W' -> CodePoints.WORD.inverted();
      case 's' -> CodePoints.SPACES;
      case 'S' -> CodePoints.SPACES.inverted();
      case 'n' -> CodePoints.of('\n');
      case 't' -> CodePoints.of('\t');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'x' -> literal(start, hex(start, 2));
      case 'u' -> utf16(start);
      default -> {
        boolean known = c < 0x80 && !Character.isLetterOrDigit(c) && c > ' ';
        if (!known) {
          throw refusal(start, "this escape is not supported");
        }
        yield CodePoints.of(c);
      }
    };
  }

  /** A character written as one or two UTF-16 units. */
  private CodePoints utf16(int start) {
    int unit = hex(start, 4);
    boolean pair = Character.isHighSurrogate((char) unit) && peekIs('\\');
    if (pair && at + 1 < regex.length && regex[at + 1] == 'u') {
      at += 2;
      int low = hex(start, 4);
      if (Character.isLowSurrogate((char) low)) {
        return CodePoints.of(Character.toCodePoint((char) unit, (char) low));
      }
    }
    return literal(start, unit);
  }

  private int hex(int start, int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = atEnd() || peek() >= 0x80 ? -1 : Character.digit(peek(), 16);
      if (digit < 0) {
        throw refusal(start, "it needs %d hexadecimal digits".formatted(digits));
      }
      value = 16 * value + digit;
      at++;
    }
    return value;
  }

  private boolean atEnd() {
    return at == regex.length;
  }

  private int peek() {
    return regex[at];
  }

  private boolean peekIs(int c) {
    return !atEnd() && peek() == c;
  }

  private boolean take(int c) {
    boolean found = peekIs(c);
    at += found ? 1 : 0;
    return found;
  }

  private void expect(int c, int start, String otherwise) {
    if (!take(c)) {
      throw refusal(start, otherwise);
    }
  }

  private IllegalArgumentException refusal(int from, String what) {
    int to = Math.min(regex.length, Math.max(at, from + 1));
    String excerpt = new String(regex, from, Math.min(to - from, 20));
    return new IllegalArgumentException(
        "the regex has '%s' at character %d: %s".formatted(excerpt, from + 1, what));
  }
}
