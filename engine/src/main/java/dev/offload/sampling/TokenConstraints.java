package dev.offload.sampling;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.offload.constraint.TextConstraint;
import dev.offload.generation.TokenIds;
import dev.offload.text.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The constraints of a job in terms of its tokenizer's tokens: made when first needed, kept as far
 * as memory is set aside for it. Thread-safe.
 */
final class TokenConstraints {
  /** States of automata that are kept, of up to about 400 bytes each. */
  private static final long KEPT_STATES = 1 << 19;

  private static final long KEPT_MASK_BYTES = 128 << 20;

  private final Optional<Tokenizer> tokenizer;
  private final int vocabularySize;
  private final Cache<Asked, TokenAutomaton> automata =
      Caffeine.newBuilder()
          .executor(Runnable::run)
          .maximumWeight(KEPT_STATES)
          .weigher((Asked asked, TokenAutomaton automaton) -> asked.constraint().states())
          .build();
  private final Cache<Place, TokenMask> masks =
      Caffeine.newBuilder()
          .executor(Runnable::run)
          .maximumWeight(KEPT_MASK_BYTES)
          .weigher((Place place, TokenMask mask) -> mask.bytes())
          .build();
  private final Queue<MemorySegment> scratch = new ConcurrentLinkedQueue<>();
  private TokenTexts tokens;

  TokenConstraints(Optional<Tokenizer> tokenizer, int vocabularySize) {
    this.tokenizer = tokenizer;
    this.vocabularySize = vocabularySize;
  }

  private record Asked(TextConstraint constraint, TokenIds ends) {}

  private record Place(TokenAutomaton automaton, int state, boolean first) {}

  /**
   * The automaton for a constraint.
   *
   * @param ends tokens that end an output
   * @throws IllegalArgumentException if there is no tokenizer, or it cannot keep the constraint
   */
  TokenAutomaton automaton(TextConstraint constraint, TokenIds ends) {
    return automata.get(
        new Asked(constraint, ends),
        asked -> new TokenAutomaton(asked.constraint(), tokens(), asked.ends()));
  }

  private synchronized TokenTexts tokens() {
    if (tokens == null) {
      tokens =
          new TokenTexts(
              tokenizer.orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "a constraint needs a tokenizer, and there is none")),
              vocabularySize);
    }
    return tokens;
  }

  /** The tokens that may come in a state. */
  TokenMask mask(TokenAutomaton automaton, int state, boolean first) {
    return masks.get(
        new Place(automaton, state, first),
        place -> place.automaton().mask(place.state(), place.first()));
  }

  /** Room for a row of logits, to be given back with {@link #giveBack}. */
  MemorySegment takeScratch() {
    MemorySegment free = scratch.poll();
    return free != null
        ? free
        : Arena.ofAuto().allocate((long) vocabularySize * Float.BYTES, Long.SIZE);
  }

  void giveBack(MemorySegment taken) {
    scratch.add(taken);
  }
}
