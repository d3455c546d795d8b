package dev.offload.jobs.rows;

import dev.offload.generation.GenerationResult;
import java.util.Locale;

/** What a result counts and how it is called in answers. */
final class Usage {
  private Usage() {}

  static int promptTokens(GenerationResult result) {
    return result.prompt().size();
  }

  /** Tokens of all choices, end tokens included. */
  static int completionTokens(GenerationResult result) {
    return result.choices().stream().mapToInt(choice -> choice.tokens().size()).sum();
  }

  static String name(GenerationResult.FinishReason reason) {
    return reason.name().toLowerCase(Locale.ROOT);
  }
}
