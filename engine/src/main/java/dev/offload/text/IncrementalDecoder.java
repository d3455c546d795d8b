package dev.offload.text;

import java.util.List;

/**
 * Turns the tokens of one sequence into text as they come, and stops at stop texts. What it has
 * returned never changes: it returns no half character, and no text that may turn out to be the
 * beginning of a stop text. All parts together are the text of the whole sequence without special
 * tokens. Not thread-safe.
 *
 * <p>Of several stop texts the one that ends first counts, however the tokens are cut. A token
 * costs time in proportion to its own text.
 */
public final class IncrementalDecoder {
  private final Tokenizer tokenizer;
  private final TextAssembly assembly;
  private final StopMatcher matcher;
  private final StringBuilder text = new StringBuilder();

  private final StringBuilder provisional = new StringBuilder();
  private final boolean searches;

  private int[] matched;
  private int[] provisionallyMatched;
  private int searched;
  private int returned;
  private boolean stopped;
  private boolean finished;

  /**
   * @param stops texts that end the sequence, none of them empty; may be none
   */
  public IncrementalDecoder(Tokenizer tokenizer, List<String> stops) {
    this.tokenizer = tokenizer;
    assembly = tokenizer.decoder().newAssembly();
    searches = !stops.isEmpty();
    matcher = new StopMatcher(stops);
    matched = matcher.start();
    provisionallyMatched = matched;
  }

  /**
   * Takes the next token.
   *
   * @return the text that is certain now, perhaps empty
   * @throws IllegalStateException after a stop text or {@link #finish}
   */
  public String push(int token) {
    return push(token, true);
  }

  /** As {@link #push}, but a stop text that ends in this token's text is ordinary text. */
  public String pushWithoutStopping(int token) {
    return push(token, false);
  }

  private String push(int token, boolean stopping) {
    if (stopped || finished) {
      throw new IllegalStateException("the text has ended");
    }
    if (!tokenizer.hasText(token)) {
      return "";
    }
    assembly.push(tokenizer.spelling(token), text);
    if (searches) {
      searchCertain(stopping);
    }
    if (searches && !stopped) {
      searchProvisional(stopping);
    }
    return takeCertain();
  }

  private void searchCertain(boolean stopping) {
    if (text.length() > searched) {
      adoptProvisional();
    }
    while (searched < text.length() && !stopped) {
      int length = matcher.step(matched, text.charAt(searched++));
      if (length > 0 && stopping) {
        stopAt(searched - length);
      }
    }
  }

  /** Text that was provisional has become certain: what has been searched is not searched again. */
  private void adoptProvisional() {
    if (!provisional.isEmpty() && text.indexOf(provisional.toString(), searched) == searched) {
      matched = provisionallyMatched.clone();
      searched += provisional.length();
    }
    provisional.setLength(0);
  }

  private void searchProvisional(boolean stopping) {
    CharSequence current = assembly.provisional();
    if (provisional.isEmpty()) {
      provisionallyMatched = matched.clone();
    }
    while (provisional.length() < current.length()) {
      char next = current.charAt(provisional.length());
      provisional.append(next);
      int length = matcher.step(provisionallyMatched, next);
      if (length > 0 && stopping) {
        text.append(provisional);
        stopAt(text.length() - length);
        return;
      }
    }
  }

  private void stopAt(int end) {
    text.setLength(end);
    stopped = true;
  }

  private String takeCertain() {
    int end = stopped ? text.length() : text.length() - StopMatcher.heldBack(matched);
    String certain = text.substring(returned, end);
    returned = end;
    return certain;
  }

  /** Whether a stop text has been found. The text ends before it. */
  public boolean stopped() {
    return stopped;
  }

  /** Ends the sequence and returns what was held back; an incomplete character becomes U+FFFD. */
  public String finish() {
    if (!stopped && !finished) {
      assembly.finish(text);
    }
    finished = true;
    String rest = text.substring(returned);
    returned = text.length();
    return rest;
  }

  /** All text returned so far. */
  public String text() {
    return text.substring(0, returned);
  }
}
