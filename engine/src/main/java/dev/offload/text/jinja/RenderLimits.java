package dev.offload.text.jinja;

/** Bounds what one rendering may cost, whatever the template says. */
final class RenderLimits {
  /** Longest output, in characters. */
  static final int MOST_CHARACTERS = 64 << 20;

  /** Most loop turns, calls and expressions. */
  static final long MOST_STEPS = 20_000_000;

  /** Deepest nesting of macro calls. */
  static final int MOST_CALLS_DEEP = 100;

  private long steps;
  private int depth;

  /** Counts a step. */
  void step() {
    steps++;
    if (steps > MOST_STEPS) {
      throw new TemplateException("the template takes more than " + MOST_STEPS + " steps");
    }
  }

  /** Refuses a text or list of this size. */
  void checkSize(long size) {
    if (size > MOST_CHARACTERS) {
      throw new TemplateException("the template makes a value of more than " + MOST_CHARACTERS);
    }
  }

  void enterCall() {
    depth++;
    if (depth > MOST_CALLS_DEEP) {
      throw new TemplateException("macros call each other more than " + MOST_CALLS_DEEP + " deep");
    }
  }

  void leaveCall() {
    depth--;
  }
}
