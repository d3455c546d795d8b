package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.FeedForward;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Router;
import java.util.List;

/** What mixtures of experts have in common. */
final class Mixture {
  private Mixture() {}

  /** A mixture without a shared expert; the number of experts stands in {@code expertsField}. */
  static MixtureOfExperts read(
      JsonFields config, int layers, String expertsField, Mlp expert, Router router) {
    return read(config, layers, expertsField, expert, router, 0, false);
  }

  static MixtureOfExperts read(
      JsonFields config,
      int layers,
      String expertsField,
      Mlp expert,
      Router router,
      int sharedWidth,
      boolean sharedGate) {
    int experts = config.integer(expertsField, 1, Limits.EXPERTS);
    if ((long) experts * layers > Limits.ALL_EXPERTS) {
      throw config.refuse(
          expertsField,
          "makes "
              + (long) experts * layers
              + " experts in all, at most "
              + Limits.ALL_EXPERTS
              + " are supported");
    }
    int perToken = config.integer("num_experts_per_tok", 1, experts);
    return new MixtureOfExperts(experts, perToken, expert, router, sharedWidth, sharedGate);
  }

  /** Softmax over all experts, then the choice. */
  static Router softmaxRouter(boolean normalise) {
    return new Router(Router.Scoring.SOFTMAX, normalise, 1, false, 1, 1, false);
  }

  /**
   * A router that scales the chosen weights by {@code routed_scaling_factor}.
   *
   * @param grouped only the best {@code topk_group} of {@code n_group} groups of experts are looked
   *     at
   */
  static Router groupedRouter(
      JsonFields config,
      Router.Scoring scoring,
      boolean normalise,
      boolean correctionBias,
      boolean grouped) {
    int experts = config.integer("n_routed_experts", 1, Limits.EXPERTS);
    int groups = config.integer("n_group", 1, experts, 1);
    if (experts % groups != 0) {
      throw config.refuse("n_group", "must divide n_routed_experts, " + experts);
    }
    int kept = config.integer("topk_group", 1, groups, 1);
    return new Router(
        scoring,
        normalise,
        (float) config.number("routed_scaling_factor", 0, 1e6, 1),
        correctionBias,
        grouped ? groups : 1,
        grouped ? kept : 1,
        false);
  }

  /**
   * Qwen: every {@code decoder_sparse_step}-th layer is a mixture, except those in {@code
   * mlp_only_layers}.
   */
  static FeedForward qwenLayer(
      List<Integer> dense, int step, int layer, Mlp mlp, MixtureOfExperts mixture) {
    return dense.contains(layer) || (layer + 1) % step != 0 ? mlp : mixture;
  }
}
