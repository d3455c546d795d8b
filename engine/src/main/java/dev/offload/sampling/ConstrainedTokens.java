package dev.offload.sampling;

import dev.offload.constraint.TextConstraint;
import dev.offload.generation.TokenIds;
import java.lang.foreign.MemorySegment;

/** How far one output has come in its constraint. Not thread-safe; belongs to one output. */
final class ConstrainedTokens {
  private final TokenConstraints job;
  private final TokenAutomaton automaton;
  private int state;
  private boolean first = true;

  /**
   * @param ends tokens that end the output
   * @throws IllegalArgumentException if the job's tokenizer cannot keep the constraint
   */
  ConstrainedTokens(TokenConstraints job, TextConstraint constraint, TokenIds ends) {
    this.job = job;
    automaton = job.automaton(constraint, ends);
    state = automaton.start();
  }

  /** Chooses among the tokens that may come. */
  int choose(Sampler sampler, LogitsRow row, int position) {
    TokenMask mask = job.mask(automaton, state, first);
    MemorySegment scratch = job.takeScratch();
    try {
      return mask.choose(sampler, row, position, scratch);
    } finally {
      job.giveBack(scratch);
    }
  }

  /** Takes a chosen token that does not end the output. */
  void append(int token) {
    state = automaton.next(state, token, first);
    first = false;
  }

  /** Whether the text is complete and nothing but an end token could follow. */
  boolean isComplete() {
    return automaton.isFinal(state);
  }
}
