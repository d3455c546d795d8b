package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.Activation;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Router;

/** gpt-oss: attention sinks, a window in every other layer, biases everywhere, clamped experts. */
final class GptOssFamily implements Family {
  /** The clamp that {@link Activation#CLAMPED_SWIGLU} has. */
  private static final double CLAMP = 7;

  private static final int DEFAULT_HEAD_DIM = 64;

  @Override
  public String modelType() {
    return "gpt_oss";
  }

  @Override
  public ModelConfig read(JsonFields config) {
    if (config.number("swiglu_limit", 0, 1e6, CLAMP) != CLAMP) {
      throw config.refuse("swiglu_limit", "is not supported unless it is " + CLAMP);
    }
    boolean bias = config.flag("attention_bias", true);
    LlamaLike model =
        new LlamaLike(config, DEFAULT_HEAD_DIM)
            .epsilonByDefault(1e-5)
            .qkvBias(bias)
            .outputBias(bias)
            .sinks();
    int width = config.integer("intermediate_size", 1, Limits.WIDTH);
    MixtureOfExperts mixture =
        Mixture.read(
            config,
            model.layers(),
            "num_local_experts",
            new Mlp(width, Activation.CLAMPED_SWIGLU, true, true),
            new Router(Router.Scoring.SOFTMAX_OF_CHOSEN, false, 1, false, 1, 1, true));
    return model
        .windows(LayerWindows.sliding(config, model.layers(), layer -> layer % 2 == 0))
        .rope(model.ropeReader().read(150_000))
        .feedForward(layer -> mixture)
        .build();
  }
}
