package dev.offload.planner.search;

import dev.offload.planner.Workload;
import dev.offload.planner.Workload.Lengths;
import dev.offload.planner.cost.AttentionLoad;

/**
 * What goes through a pass in the steady state: each sequence in flight gives a token per pass, and
 * the prompts of those that take the places of finished ones ride along. The first token of a
 * sequence comes from the pass that ends its prompt.
 *
 * @param finished sequences that end per pass, and as many begin
 * @param generated tokens generated per pass, which is also how many rows of logits it needs
 * @param load rows of the pass
 */
record PassFlow(double finished, double generated, AttentionLoad load) {

  /**
   * The flow with so many sequences in flight.
   *
   * @param mostTokens rows for which a pass has room
   */
  static PassFlow of(Workload workload, double sequences, double mostTokens) {
    double generated = workload.meanGeneratedTokens();
    double prompt = workload.meanPromptTokens();
    double finished = Math.min(sequences / generated, mostTokens / (prompt + generated - 1));
    return new PassFlow(
        finished,
        finished * generated,
        new AttentionLoad(
            finished * (generated - 1),
            decodeContext(workload),
            finished * prompt,
            promptContext(workload)));
  }

  /** Rows that a pass needs room for so that as many sequences can be in flight. */
  static double tokensFor(Workload workload, double sequences) {
    double generated = workload.meanGeneratedTokens();
    return sequences / generated * (workload.meanPromptTokens() + generated - 1);
  }

  /** A pass of prompts alone. */
  static PassFlow prefill(Workload workload, double tokens) {
    double finished = tokens / workload.meanPromptTokens();
    return new PassFlow(
        finished, finished, new AttentionLoad(0, 0, tokens, promptContext(workload)));
  }

  /** A pass without prompts. */
  static PassFlow decode(Workload workload, double sequences) {
    double context = decodeContext(workload);
    double seen = context > 0 ? context : workload.meanPromptTokens() + 1;
    return new PassFlow(
        sequences / workload.meanGeneratedTokens(),
        sequences,
        new AttentionLoad(sequences, seen, 0, 0));
  }

  private static double decodeContext(Workload workload) {
    double sum = 0;
    double rows = 0;
    for (Lengths each : workload.lengths()) {
      double decodes = (each.generatedTokens() - 1.0) * each.count();
      sum += decodes * (each.promptTokens() + each.generatedTokens() / 2.0);
      rows += decodes;
    }
    return rows == 0 ? 0 : sum / rows;
  }

  private static double promptContext(Workload workload) {
    double sum = 0;
    double rows = 0;
    for (Lengths each : workload.lengths()) {
      double tokens = (double) each.promptTokens() * each.count();
      sum += tokens * (each.promptTokens() + 1) / 2.0;
      rows += tokens;
    }
    return sum / rows;
  }
}
