package dev.offload.jobs.rows;

/** How rows of a file are written; a file has one format, that of its first row. */
public enum RowFormat {
  /** {@code {"id", "prompt" or "messages", …}}. */
  SIMPLE("simple row"),
  /** {@code {"custom_id", "method", "url", "body"}}, OpenAI's batch input. */
  OPENAI("OpenAI batch row");

  private final String words;

  RowFormat(String words) {
    this.words = words;
  }

  /** As messages call a row of this format. */
  String words() {
    return words;
  }
}
