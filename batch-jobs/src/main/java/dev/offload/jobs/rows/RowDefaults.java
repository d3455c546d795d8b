package dev.offload.jobs.rows;

/**
 * What holds for rows that do not say.
 *
 * @param maxTokens most tokens generated
 */
public record RowDefaults(int maxTokens) {
  /** Most tokens generated when neither the row nor the command line says: {@value}. */
  public static final int MAX_TOKENS = 256;

  /** Simple rows are greedy: offline jobs want the same answer each time. */
  static final double SIMPLE_TEMPERATURE = 0;

  /** OpenAI rows follow OpenAI's API. */
  static final double OPENAI_TEMPERATURE = 1;

  public RowDefaults {
    if (maxTokens < 1) {
      throw new IllegalArgumentException("max tokens is " + maxTokens + ", must be at least 1");
    }
  }
}
