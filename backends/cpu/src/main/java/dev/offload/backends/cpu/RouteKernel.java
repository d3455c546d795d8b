package dev.offload.backends.cpu;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.RouterSpec;
import dev.offload.backends.api.RouterSpec.Scoring;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Chooses experts, one token at a time; some hundred numbers each, so plain loops. */
final class RouteKernel {
  private RouteKernel() {}

  static void route(
      WorkerPool pool, MatrixRows logits, RouterSpec router, Indices experts, MatrixRows weights) {
    int perToken = router.expertsPerToken();
    RowLoop.run(
        pool,
        logits.rows(),
        logits.columns() * perToken,
        (first, end) -> {
          TokenRouter token = new TokenRouter(router, logits.columns());
          for (int i = first; i < end; i++) {
            logits.load(i, token.logits);
            token.route();
            CpuOperands.store(token.chosen, perToken, experts, i * perToken);
            weights.store(token.weights, i);
          }
        });
  }

  /** The steps for one token. Scratch is padded to whole vectors with minus infinity. */
  private static final class TokenRouter {
    private final RouterSpec router;
    private final int experts;
    private final float[] correction;
    private final float[] logits;
    private final float[] scores;
    private final float[] selection;
    private final boolean[] taken;
    private final float[] groupScores;
    private final boolean[] groupKept;
    private final int[] chosen;
    private final float[] weights;
    private final float[] lanes = new float[Lanes.COUNT];

    TokenRouter(RouterSpec router, int experts) {
      this.router = router;
      this.experts = experts;
      correction = router.correction().map(CpuOperands::array).orElse(null);
      logits = scratch(experts);
      scores = scratch(experts);
      selection = scratch(experts);
      taken = new boolean[experts];
      groupScores = new float[router.groups()];
      groupKept = new boolean[router.groups()];
      chosen = new int[router.expertsPerToken()];
      weights = scratch(router.expertsPerToken());
    }

    private static float[] scratch(int count) {
      float[] scratch = RowLoop.scratch(count);
      Arrays.fill(scratch, Float.NEGATIVE_INFINITY);
      return scratch;
    }

    void route() {
      score();
      fillSelection();
      Arrays.fill(taken, false);
      if (router.groups() > 1) {
        dropGroups();
      }
      for (int j = 0; j < chosen.length; j++) {
        chosen[j] = firstLargest(selection, taken);
        taken[chosen[j]] = true;
      }
      weigh();
    }

    private void score() {
      System.arraycopy(logits, 0, scores, 0, scores.length);
      switch (router.scoring()) {
        case SOFTMAX -> softmax(scores);
        case SIGMOID -> VectorMath.sigmoid(scores, 0, scores.length);
        case SOFTMAX_OF_CHOSEN -> {}
      }
    }

    /**
     * Every scoring grows with the logit; so unless corrected, logits decide: they do not
     * underflow.
     */
    private void fillSelection() {
      System.arraycopy(correction == null ? logits : scores, 0, selection, 0, selection.length);
      if (correction != null) {
        ElementwiseKernels.add(selection, correction);
      }
    }

    private void dropGroups() {
      int size = experts / router.groups();
      for (int g = 0; g < groupScores.length; g++) {
        groupScores[g] = groupScore(g * size, size);
      }
      Arrays.fill(groupKept, false);
      for (int i = 0; i < router.groupsKept(); i++) {
        groupKept[firstLargest(groupScores, groupKept)] = true;
      }
      for (int g = 0; g < groupKept.length; g++) {
        Arrays.fill(taken, g * size, (g + 1) * size, !groupKept[g]);
      }
    }

    /** The largest selection score of a group, or with a correction the sum of the two largest. */
    private float groupScore(int first, int size) {
      float largest = Float.NEGATIVE_INFINITY;
      float second = Float.NEGATIVE_INFINITY;
      for (int i = first; i < first + size; i++) {
        second = Math.max(second, Math.min(largest, selection[i]));
        largest = Math.max(largest, selection[i]);
      }
      return correction == null || size == 1 ? largest : largest + second;
    }

    private static int firstLargest(float[] numbers, boolean[] taken) {
      int best = -1;
      for (int i = 0; i < taken.length; i++) {
        if (!taken[i] && (best < 0 || numbers[i] > numbers[best])) {
          best = i;
        }
      }
      return best;
    }

    private void weigh() {
      for (int j = 0; j < chosen.length; j++) {
        weights[j] = scores[chosen[j]];
      }
      if (router.scoring() == Scoring.SOFTMAX_OF_CHOSEN) {
        Arrays.fill(weights, chosen.length, weights.length, Float.NEGATIVE_INFINITY);
        softmax(weights);
      }
      float sum = 0;
      for (int j = 0; j < chosen.length; j++) {
        sum += weights[j];
      }
      float factor = router.normalise() ? router.scale() / sum : router.scale();
      for (int j = 0; j < chosen.length; j++) {
        weights[j] *= factor;
      }
    }

    private void softmax(float[] x) {
      float max = Float.NEGATIVE_INFINITY;
      for (float value : x) {
        max = Math.max(max, value);
      }
      for (int i = 0; i < x.length; i++) {
        x[i] -= max;
      }
      VectorMath.exp(x, 0, x.length);
      FloatVector sum = FloatVector.zero(Lanes.FLOATS);
      for (int i = 0; i < x.length; i += Lanes.COUNT) {
        sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, x, i));
      }
      sum.intoArray(lanes, 0);
      float total = Lanes.sum(lanes, 0);
      for (int i = 0; i < x.length; i += Lanes.COUNT) {
        FloatVector.fromArray(Lanes.FLOATS, x, i).div(total).intoArray(x, i);
      }
    }
  }
}
