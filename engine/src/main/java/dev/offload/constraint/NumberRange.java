package dev.offload.constraint;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;

/**
 * Numbers between two bounds, written without exponent, leading zeros and minus zero. Digits are
 * compared one by one with those of the bounds as long as they are the same.
 *
 * @param least lower bound, itself allowed unless {@code aboveLeast}
 * @param most upper bound, itself allowed unless {@code belowMost}
 * @param fraction most digits behind the point; with 0 there is no point
 */
record NumberRange(
    BigDecimal least, boolean aboveLeast, BigDecimal most, boolean belowMost, int fraction) {

  /** The numbers as JSON writes them; perhaps none. */
  Automaton toAutomaton() {
    List<Automaton> signs = new ArrayList<>();
    if (most.signum() >= 0) {
      boolean fromZero = least.signum() < 0;
      signs.add(
          magnitudes(
              new NumberRange(
                  fromZero ? BigDecimal.ZERO : least,
                  !fromZero && aboveLeast,
                  most,
                  belowMost,
                  fraction)));
    }
    if (least.signum() < 0) {
      boolean toZero = most.signum() >= 0;
      Automaton below =
          magnitudes(
              new NumberRange(
                  toZero ? BigDecimal.ZERO : most.negate(),
                  toZero || belowMost,
                  least.negate(),
                  aboveLeast,
                  fraction));
      signs.add(Operations.concatenate(List.of(Automata.makeChar('-'), below)));
    }
    return Operations.removeDeadStates(Operations.union(signs));
  }

  /** Numbers of a range that begins at 0 or above. */
  private static Automaton magnitudes(NumberRange range) {
    List<Automaton> lengths = new ArrayList<>();
    int shortest = whole(range.least()).length();
    int longest = whole(range.most()).length();
    for (int length = shortest; length <= longest; length++) {
      lengths.add(new Digits(range, length, length == shortest, length == longest).build());
    }
    return Operations.union(lengths);
  }

  /** The digits before the point. */
  private static String whole(BigDecimal bound) {
    return bound.setScale(0, RoundingMode.DOWN).toBigInteger().toString();
  }

  /** Numbers with so many digits before the point. */
  private static final class Digits {
    private final NumberRange range;
    private final int length;
    private final boolean bounded;
    private final String least;
    private final String most;
    private final Automaton.Builder builder = new Automaton.Builder();
    private final Map<Integer, Integer> states = new HashMap<>();

    /**
     * @param bounded the lower bound has as many digits
     * @param limited the upper bound has as many digits
     */
    Digits(NumberRange range, int length, boolean bounded, boolean limited) {
      this.range = range;
      this.length = length;
      this.bounded = bounded;
      least = bounded ? digits(range.least()) : (length == 1 ? "0" : "1") + "0".repeat(length - 1);
      most = limited ? digits(range.most()) : "9".repeat(length + range.fraction() + 1);
    }

    /** The bound's digits before and behind the point. */
    private static String digits(BigDecimal bound) {
      String plain = bound.toPlainString();
      return plain.replace(".", "");
    }

    Automaton build() {
      state(0, true, true, false);
      return builder.finish();
    }

    /**
     * The state behind so many digits.
     *
     * @param asLeast they are those of the lower bound
     * @param asMost they are those of the upper bound
     * @param point the point is behind them
     */
    private int state(int at, boolean asLeast, boolean asMost, boolean point) {
      int key = at * 8 + (asLeast ? 4 : 0) + (asMost ? 2 : 0) + (point ? 1 : 0);
      Integer known = states.get(key);
      if (known != null) {
        return known;
      }
      int state = builder.createState();
      states.put(key, state);
      builder.setAccept(state, !point && at >= length && isInside(at, asLeast, asMost));
      if (at == length && !point) {
        if (range.fraction() > 0) {
          builder.addTransition(state, state(at, asLeast, asMost, true), '.');
        }
        return state;
      }
      if (at < length + range.fraction()) {
        addDigits(state, at, asLeast, asMost);
      }
      return state;
    }

    private void addDigits(int state, int at, boolean asLeast, boolean asMost) {
      char low = asLeast ? digit(least, at) : '0';
      char high = asMost ? digit(most, at) : '9';
      for (char digit = low; digit <= high; digit++) {
        int next = state(at + 1, asLeast && digit == low, asMost && digit == high, false);
        builder.addTransition(state, next, digit);
      }
    }

    private static char digit(String bound, int at) {
      return at < bound.length() ? bound.charAt(at) : '0';
    }

    /** Whether a number may end here; what is left of it is zeros. */
    private boolean isInside(int at, boolean asLeast, boolean asMost) {
      boolean isLeast = asLeast && isZero(least, at);
      boolean isMost = asMost && isZero(most, at);
      return (!asLeast || isLeast)
          && !(isLeast && bounded && range.aboveLeast())
          && !(isMost && range.belowMost());
    }

    private static boolean isZero(String bound, int from) {
      return bound.substring(Math.min(from, bound.length())).chars().allMatch(c -> c == '0');
    }
  }
}
