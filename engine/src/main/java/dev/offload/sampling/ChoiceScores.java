package dev.offload.sampling;

import dev.offload.generation.ChoiceRequest;
import dev.offload.generation.ChoiceResult;
import dev.offload.generation.TokenIds;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The choices of one row while they are scored. Their tokens are a tree with the prompt as its
 * root; the logits of each inner node, taken once, score all tokens below it. The tree is walked
 * branch by branch, in order of token ids, so that a branch begins with as much as possible of the
 * one before. Not thread-safe.
 *
 * <pre>{@code
 * var scores = new ChoiceScores(rules, request);
 * while (!scores.accept(logits)) { // behind the prompt, then behind each token of the branch
 *   scores.branch().ifPresent(branch -> …); // compute these tokens next
 * }
 * ChoiceResult result = scores.result();
 * }</pre>
 */
public final class ChoiceScores {
  private final ChoiceRequest request;
  private final int vocabularySize;
  private final int[][] choices;
  private final List<int[]> branches;
  private final double[] logLikelihoods;

  private int[] path = {};
  private int depth;
  private int branchesBegun;
  private Optional<Branch> branch = Optional.empty();
  private boolean finished;

  /**
   * What to compute next.
   *
   * @param kept how many tokens behind the prompt are as in the branch before
   * @param tokens those that follow, at least one; logits are wanted behind each of them
   */
  public record Branch(int kept, TokenIds tokens) {}

  /**
   * @throws IllegalArgumentException if a token id is outside the vocabulary, or prompt and longest
   *     choice exceed the context
   */
  public ChoiceScores(OutputRules rules, ChoiceRequest request) {
    RequestChecks.check(rules, request);
    this.request = request;
    this.vocabularySize = rules.vocabularySize();
    this.choices = request.choices().stream().map(TokenIds::toArray).toArray(int[][]::new);
    this.branches = branches(choices);
    this.logLikelihoods = new double[choices.length];
  }

  /** All choices without their last tokens, but for those that another one begins with. */
  private static List<int[]> branches(int[][] choices) {
    List<int[]> sorted = new ArrayList<>();
    for (int[] choice : choices) {
      sorted.add(Arrays.copyOf(choice, choice.length - 1));
    }
    sorted.sort(Arrays::compare);
    List<int[]> branches = new ArrayList<>();
    for (int i = 0; i < sorted.size(); i++) {
      int[] inner = sorted.get(i);
      // What begins with it follows at once, it being sorted.
      boolean isPart = i + 1 < sorted.size() && common(inner, sorted.get(i + 1)) == inner.length;
      if (inner.length > 0 && !isPart) {
        branches.add(inner);
      }
    }
    return branches;
  }

  /** How many tokens two sequences have in common at the beginning. */
  private static int common(int[] one, int[] other) {
    int mismatch = Arrays.mismatch(one, other);
    return mismatch < 0 ? one.length : mismatch;
  }

  /**
   * Scores the tokens that may come next.
   *
   * @param logits float32 {@code [vocabulary]}, read only
   * @return whether all choices are scored
   * @throws LogitsException if the logits hold NaN or infinity; the message names the row
   * @throws IllegalStateException if all choices are scored already
   */
  public boolean accept(MemorySegment logits) {
    if (finished) {
      throw new IllegalStateException("all choices are scored");
    }
    score(new LogitsRow(logits, vocabularySize));
    depth++;
    branch = Optional.empty();
    if (depth > path.length) {
      if (branchesBegun < branches.size()) {
        begin(branches.get(branchesBegun++));
      } else {
        finished = true;
      }
    }
    return finished;
  }

  private void score(LogitsRow row) {
    TokenLogprobs logprobs = logprobs(row);
    for (int c = 0; c < choices.length; c++) {
      int[] choice = choices[c];
      if (choice.length > depth && Arrays.equals(choice, 0, depth, path, 0, depth)) {
        logLikelihoods[c] += logprobs.of(choice[depth]);
      }
    }
  }

  private TokenLogprobs logprobs(LogitsRow row) {
    try {
      return new TokenLogprobs(row);
    } catch (LogitsException e) {
      throw new LogitsException(
          "row %d, behind %s of the choices: %s"
              .formatted(
                  request.index(), Arrays.toString(Arrays.copyOf(path, depth)), e.getMessage()));
    }
  }

  private void begin(int[] next) {
    int kept = common(path, next);
    branch =
        Optional.of(new Branch(kept, TokenIds.of(Arrays.copyOfRange(next, kept, next.length))));
    path = next;
    depth = kept + 1;
  }

  /** The next branch if the last logits were the last of the one before. */
  public Optional<Branch> branch() {
    return branch;
  }

  /**
   * How likely the choices are.
   *
   * @throws IllegalStateException if not all are scored yet
   */
  public ChoiceResult result() {
    if (!finished) {
      throw new IllegalStateException("the choices are not all scored");
    }
    return new ChoiceResult(
        request.index(), Arrays.stream(logLikelihoods).boxed().toList(), request.prompt().size());
  }
}
