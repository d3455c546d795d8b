package dev.offload.jobs.report;

/**
 * HTML in the making. What comes from outside goes in through {@link #text} or {@link #escape} and
 * can be nothing but text; everything else is this package's own.
 */
final class Html {
  private static final char REPLACEMENT = '\uFFFD';

  private final StringBuilder page = new StringBuilder(1 << 16);

  /** Markup of this package's own. */
  Html raw(String markup) {
    page.append(markup);
    return this;
  }

  /** Any text. */
  Html text(String any) {
    page.append(escape(any));
    return this;
  }

  /** An element that holds a text. */
  Html element(String tag, String text) {
    return raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">");
  }

  /** An element of a class that holds a text. */
  Html element(String tag, String type, String text) {
    return raw("<")
        .raw(tag)
        .raw(" class=\"")
        .raw(type)
        .raw("\">")
        .text(text)
        .raw("</")
        .raw(tag)
        .raw(">");
  }

  /**
   * A text as HTML shows it, between tags and in quoted attributes. Characters that no page may
   * hold become U+FFFD: halves of pairs, and control characters that are no white space.
   */
  static String escape(String any) {
    StringBuilder text = new StringBuilder(any.length() + 16);
    any.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> text.append("&amp;");
                case '<' -> text.append("&lt;");
                case '>' -> text.append("&gt;");
                case '"' -> text.append("&quot;");
                case '\'' -> text.append("&#39;");
                case '\n', '\t' -> text.append((char) c);
                default -> text.appendCodePoint(isForbidden(c) ? REPLACEMENT : c);
              }
            });
    return text.toString();
  }

  private static boolean isForbidden(int c) {
    return Character.isISOControl(c)
        || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  @Override
  public String toString() {
    return page.toString();
  }
}
