package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.model.ModelConfig.Activation;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Embedding;
import dev.offload.tensors.model.ModelConfig.FeedForward;
import dev.offload.tensors.model.ModelConfig.Head;
import dev.offload.tensors.model.ModelConfig.Latent;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Norm;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/**
 * Puts together models built like Llama: RMS norms, rotary positions, grouped-query attention,
 * gated feed-forward. Reads the sizes when it is made; a family then says where it differs. Not
 * thread-safe; used once.
 */
final class LlamaLike {
  private final JsonFields config;
  private final int hidden;
  private final int layers;
  private final int heads;
  private int keyValueHeads;
  private int headDim;
  private int valueDim;
  private final int context;

  private Activation activation;
  private boolean qkvBias;
  private boolean outputBias;
  private boolean mlpBias;
  private boolean sinks;
  private Optional<Latent> latent = Optional.empty();
  private QueryKeyNorm queryKeyNorm = QueryKeyNorm.NONE;
  private float attentionScale;
  private float attentionSoftCap;
  private float headSoftCap;
  private float embeddingScale = 1;
  private boolean tiedByDefault;
  private double epsilonByDefault = 1e-6;
  private boolean unitOffset;
  private NormPlacement placement = NormPlacement.BEFORE;
  private boolean[] sliding;
  private int window;
  private IntFunction<Rope> rope;
  private IntFunction<FeedForward> feedForward;

  LlamaLike(JsonFields config) {
    this(config, 0);
  }

  /** For families whose head width, if absent, is not hidden size / heads but this. */
  LlamaLike(JsonFields config, int defaultHeadDim) {
    this.config = config;
    hidden = config.integer("hidden_size", 1, Limits.WIDTH);
    layers = config.integer("num_hidden_layers", 1, Limits.LAYERS);
    heads = config.integer("num_attention_heads", 1, Limits.HEADS);
    keyValueHeads = config.integer("num_key_value_heads", 1, Limits.HEADS, heads);
    headDim =
        config.has("head_dim") || defaultHeadDim > 0
            ? config.integer("head_dim", 1, Limits.HEAD_DIM, defaultHeadDim)
            : Heads.width(config, "hidden_size", hidden, "num_attention_heads", heads);
    valueDim = headDim;
    context = config.integer("max_position_embeddings", 1, Limits.CONTEXT);
    sliding = new boolean[layers];
    attentionScale = (float) (1 / Math.sqrt(headDim));
    activation = Activation.SILU;
  }

  int hidden() {
    return hidden;
  }

  int layers() {
    return layers;
  }

  RopeReader ropeReader() {
    return ropeReader(headDim);
  }

  /** For families that rotate heads of another width. */
  RopeReader ropeReader(int width) {
    return new RopeReader(config, width, context);
  }

  /** Reads the activation; must come before the feed-forward part is described. */
  LlamaLike activation(String field, String absent) {
    activation = Activations.read(config, field, absent);
    return this;
  }

  LlamaLike qkvBias(boolean bias) {
    qkvBias = bias;
    return this;
  }

  LlamaLike outputBias(boolean bias) {
    outputBias = bias;
    return this;
  }

  LlamaLike mlpBias(boolean bias) {
    mlpBias = bias;
    return this;
  }

  LlamaLike sinks() {
    sinks = true;
    return this;
  }

  /** All heads read one latent per token instead of keys and values of their own. */
  LlamaLike latent(Latent projections) {
    latent = Optional.of(projections);
    keyValueHeads = 1;
    headDim = projections.rank() + projections.rotatedDim();
    valueDim = projections.rank();
    return this;
  }

  LlamaLike queryKeyNorm(QueryKeyNorm norm) {
    queryKeyNorm = norm;
    return this;
  }

  LlamaLike attentionScale(double scale) {
    attentionScale = (float) scale;
    return this;
  }

  LlamaLike softCaps(double attention, double head) {
    attentionSoftCap = (float) attention;
    headSoftCap = (float) head;
    return this;
  }

  LlamaLike embeddingScale(double scale) {
    embeddingScale = (float) scale;
    return this;
  }

  LlamaLike tiedByDefault() {
    tiedByDefault = true;
    return this;
  }

  LlamaLike epsilonByDefault(double epsilon) {
    epsilonByDefault = epsilon;
    return this;
  }

  /** Norms of Gemma: 1 + weight, before and after each part. */
  LlamaLike gemmaNorms() {
    unitOffset = true;
    placement = NormPlacement.BOTH;
    return this;
  }

  /** Sliding layers see {@code sliding_window} positions. */
  LlamaLike windows(boolean[] slidingLayers) {
    sliding = slidingLayers;
    window = config.integer("sliding_window", 1, Limits.CONTEXT, 0);
    return this;
  }

  LlamaLike rope(IntFunction<Rope> byLayer) {
    rope = byLayer;
    return this;
  }

  LlamaLike rope(Rope everywhere) {
    rope = layer -> everywhere;
    return this;
  }

  LlamaLike feedForward(IntFunction<FeedForward> byLayer) {
    feedForward = byLayer;
    return this;
  }

  /** A dense feed-forward part of this width. */
  Mlp mlp(int width) {
    return new Mlp(width, activation, true, mlpBias);
  }

  /** A dense feed-forward part of {@code intermediate_size}. */
  Mlp mlp() {
    return mlp(config.integer("intermediate_size", 1, Limits.WIDTH));
  }

  ModelConfig build() {
    Norm norm =
        new Norm(
            Norm.Kind.RMS,
            (float) config.number("rms_norm_eps", 0, 1, epsilonByDefault),
            unitOffset);
    Heads.checkDivisible(config, "num_key_value_heads", heads, keyValueHeads);
    if (rope == null) {
      rope(ropeReader().read(10_000));
    }
    if (feedForward == null) {
      Mlp everywhere = mlp();
      feedForward = layer -> everywhere;
    }
    List<Layer> all = new ArrayList<>(layers);
    for (int layer = 0; layer < layers; layer++) {
      all.add(new Layer(attention(layer), feedForward.apply(layer), placement, norm, false));
    }
    int vocabulary = config.integer("vocab_size", 1, Limits.WIDTH);
    return new ModelConfig(
        config.text("model_type").orElseThrow(),
        hidden,
        vocabulary,
        ContextLength.of(context, all.getFirst().attention().rope()),
        StoredFormat.read(config),
        new Embedding(hidden, embeddingScale, 0, 0),
        all,
        norm,
        new Head(config.flag("tie_word_embeddings", tiedByDefault), headSoftCap),
        List.of(),
        OptionalInt.empty());
  }

  private Attention attention(int layer) {
    boolean limited = sliding[layer] && window > 0 && window < context;
    return new Attention(
        heads,
        keyValueHeads,
        headDim,
        valueDim,
        attentionScale,
        limited ? window : 0,
        attentionSoftCap,
        sinks,
        qkvBias,
        outputBias,
        queryKeyNorm,
        rope.apply(layer),
        latent);
  }
}
