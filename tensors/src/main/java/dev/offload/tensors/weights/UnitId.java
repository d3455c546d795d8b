package dev.offload.tensors.weights;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Name of a weight unit.
 *
 * @param kind what it is
 * @param layer its layer, -1 for {@link Kind#EMBEDDING}, {@link Kind#HEAD} and {@link Kind#OUTPUT}
 * @param number of an {@link Kind#EXPERT} which one it is; of an {@link Kind#OUTPUT} its first row;
 *     -1 for all others
 */
public record UnitId(Kind kind, int layer, int number) {
  private static final Pattern FORM =
      Pattern.compile(
          "embedding|head|output\\.(?<output>\\d+)"
              + "|layer\\.(?<layer>\\d+)\\."
              + "(?:(?<kind>attention|mlp|router|shared-expert)|expert\\.(?<expert>\\d+))");

  /** What a unit holds. */
  public enum Kind {
    /** Token and position tables and the projection to the hidden size. */
    EMBEDDING,
    /** Norms around attention, q, k, v and output projections. */
    ATTENTION,
    /** Norms around the feed-forward part and a dense MLP. */
    MLP,
    /** Norms around the feed-forward part, router, and the shared expert's gate. */
    ROUTER,
    /** The expert that every token takes. */
    SHARED_EXPERT,
    /** One routed expert. */
    EXPERT,
    /** Final norm and projection out of the hidden size; nothing at all in some models. */
    HEAD,
    /** The output matrix, or a slice of it: some of its rows. */
    OUTPUT
  }

  public static UnitId embedding() {
    return new UnitId(Kind.EMBEDDING, -1, -1);
  }

  public static UnitId head() {
    return new UnitId(Kind.HEAD, -1, -1);
  }

  /** The slice of the output matrix that begins with the given row. */
  public static UnitId output(int firstRow) {
    return new UnitId(Kind.OUTPUT, -1, firstRow);
  }

  public static UnitId of(Kind kind, int layer) {
    return new UnitId(kind, layer, -1);
  }

  public static UnitId expert(int layer, int expert) {
    return new UnitId(Kind.EXPERT, layer, expert);
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException if it is no name of a unit
   */
  public static UnitId parse(String name) {
    Matcher form = FORM.matcher(name);
    if (!form.matches()) {
      throw new IllegalArgumentException("'" + name + "' is no name of a weight unit");
    }
    if (form.group("output") != null) {
      return output(number(name, form.group("output")));
    }
    if (form.group("layer") == null) {
      return name.equals("head") ? head() : embedding();
    }
    int layer = number(name, form.group("layer"));
    return form.group("expert") != null
        ? expert(layer, number(name, form.group("expert")))
        : of(Kind.valueOf(form.group("kind").toUpperCase(Locale.ROOT).replace('-', '_')), layer);
  }

  private static int number(String name, String digits) {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + name + "' is no name of a weight unit", e);
    }
  }

  /**
   * Spread well: maps of ten thousand experts are common, and those of the default hash collide.
   */
  @Override
  public int hashCode() {
    int hash = (layer * 0x9E3779B1 + number) * 0x85EBCA6B + kind.hashCode();
    return hash ^ (hash >>> 15);
  }

  /** Short text such as {@code layer.3.expert.5} or {@code head}. */
  @Override
  public String toString() {
    String kindName = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return switch (kind) {
      case EMBEDDING, HEAD -> kindName;
      case OUTPUT -> kindName + "." + number;
      case EXPERT -> "layer." + layer + "." + kindName + "." + number;
      default -> "layer." + layer + "." + kindName;
    };
  }
}
