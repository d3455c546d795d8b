package dev.offload.tensors.model;

import dev.offload.tensors.DType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A decoder-only transformer, described without naming a family. Immutable.
 *
 * @param family the {@code model_type} it was read from; tells how its tensors are named, never
 *     what is computed
 * @param hiddenSize width of the residual stream
 * @param vocabularySize rows of the embedding table and outputs of the head
 * @param contextLength largest number of positions of one sequence
 * @param storedDType number format of the checkpoint's matrices
 * @param embedding how tokens enter
 * @param layers the decoder layers in order
 * @param finalNorm norm before the head; {@link Norm#NONE} if there is none
 * @param head how logits come out
 * @param endTokens ids that end a sequence
 * @param beginToken id that begins a sequence, if the model names one
 */
public record ModelConfig(
    String family,
    int hiddenSize,
    int vocabularySize,
    int contextLength,
    DType storedDType,
    Embedding embedding,
    List<Layer> layers,
    Norm finalNorm,
    Head head,
    List<Integer> endTokens,
    OptionalInt beginToken) {

  public ModelConfig {
    Require.atLeast("hidden size", hiddenSize, 1);
    Require.atLeast("vocabulary size", vocabularySize, 1);
    Require.atLeast("context length", contextLength, 1);
    Require.atLeast("number of layers", layers.size(), 1);
    layers = List.copyOf(layers);
    endTokens = List.copyOf(endTokens);
  }

  /** The same model with these tokens. */
  public ModelConfig withTokens(List<Integer> end, OptionalInt begin) {
    return new ModelConfig(
        family,
        hiddenSize,
        vocabularySize,
        contextLength,
        storedDType,
        embedding,
        layers,
        finalNorm,
        head,
        end,
        begin);
  }

  /** The same model stored in another number format. */
  public ModelConfig withStoredDType(DType dtype) {
    return new ModelConfig(
        family,
        hiddenSize,
        vocabularySize,
        contextLength,
        dtype,
        embedding,
        layers,
        finalNorm,
        head,
        endTokens,
        beginToken);
  }

  /**
   * How tokens enter.
   *
   * @param width columns of the table; a projection to the hidden size follows where they differ
   * @param scale factor on the looked-up row
   * @param positionRows rows of a learned position table, 0 if there is none
   * @param positionOffset row of position 0 in that table
   */
  public record Embedding(int width, float scale, int positionRows, int positionOffset) {}

  /**
   * One decoder layer.
   *
   * @param attention the attention module
   * @param feedForward what follows it
   * @param norms where the norms stand
   * @param norm kind of all norms of the layer
   * @param parallel attention and feed-forward both read the layer's input
   */
  public record Layer(
      Attention attention,
      FeedForward feedForward,
      NormPlacement norms,
      Norm norm,
      boolean parallel) {}

  /** Where a layer normalises. */
  public enum NormPlacement {
    /** Before attention and before the feed-forward part. */
    BEFORE,
    /** After each residual addition (OPT-350m). */
    AFTER,
    /** Before each part and on its output, ahead of the residual addition (Gemma 2 and 3). */
    BOTH
  }

  /**
   * A normalisation.
   *
   * @param kind which one
   * @param epsilon added to the variance
   * @param unitOffset multiplies by 1 + weight instead of weight (Gemma)
   */
  public record Norm(Kind kind, float epsilon, boolean unitOffset) {
    /** No normalisation at all. */
    public static final Norm NONE = new Norm(Kind.NONE, 0, false);

    /** The kinds of norm. */
    public enum Kind {
      NONE,
      RMS,
      /** With a weight and a bias. */
      LAYER
    }
  }

  /**
   * Grouped-query attention. Query head h reads KV head {@code h / (heads / keyValueHeads)}.
   *
   * <p>Latent attention is described as what it is once its up projections are taken together with
   * queries and outputs (arXiv 2405.04434, section 2.1): all heads read the same key of {@code rank
   * + rotatedDim} numbers, whose first {@code rank}, the latent, are the value too.
   *
   * @param heads query heads
   * @param keyValueHeads heads of the KV cache, a divisor of {@code heads}
   * @param headDim width of one query or key head
   * @param valueDim width of one value head
   * @param scale factor on the dot products
   * @param window how many positions back (itself included) a token sees; 0 means all
   * @param softCap cap c of {@code c * tanh(score / c)}; 0 means none
   * @param sinks one learned logit per head joins the softmax (gpt-oss)
   * @param qkvBias query, key and value projections have a bias
   * @param outputBias the output projection has a bias
   * @param queryKeyNorm normalisation of queries and keys before the rotation
   * @param rope rotary embedding; {@link Rope#NONE} if positions are learned. In latent attention
   *     it rotates the rotated part of each head
   * @param latent how queries, keys and values are projected in latent attention; empty for any
   *     other
   */
  public record Attention(
      int heads,
      int keyValueHeads,
      int headDim,
      int valueDim,
      float scale,
      int window,
      float softCap,
      boolean sinks,
      boolean qkvBias,
      boolean outputBias,
      QueryKeyNorm queryKeyNorm,
      Rope rope,
      Optional<Latent> latent) {
    public Attention {
      Require.atLeast("number of attention heads", heads, 1);
      Require.atLeast("number of KV heads", keyValueHeads, 1);
      Require.atLeast("head width", headDim, 1);
      Require.atLeast("value head width", valueDim, 1);
      if (heads % keyValueHeads != 0) {
        throw new IllegalArgumentException(
            heads + " attention heads are not a multiple of " + keyValueHeads + " KV heads");
      }
      latent.ifPresent(found -> found.check(keyValueHeads, headDim, valueDim));
    }

    /** Grouped-query attention that is not latent. */
    public Attention(
        int heads,
        int keyValueHeads,
        int headDim,
        int valueDim,
        float scale,
        int window,
        float softCap,
        boolean sinks,
        boolean qkvBias,
        boolean outputBias,
        QueryKeyNorm queryKeyNorm,
        Rope rope) {
      this(
          heads,
          keyValueHeads,
          headDim,
          valueDim,
          scale,
          window,
          softCap,
          sinks,
          qkvBias,
          outputBias,
          queryKeyNorm,
          rope,
          Optional.empty());
    }

    /** Numbers that the KV cache needs for one token; a latent is key and value at once. */
    public int cachedNumbers() {
      return latent.isPresent() ? headDim : keyValueHeads * (headDim + valueDim);
    }

    /** Columns of queries, keys and values side by side. */
    public int qkvWidth() {
      return heads * headDim + cachedNumbers();
    }

    /** Weights of the matrices that come before attention over the cache. */
    public long weightsBefore(int hiddenSize) {
      return latent
          .map(found -> found.weightsBefore(hiddenSize, heads))
          .orElse((long) hiddenSize * qkvWidth());
    }

    /** Weights of the matrices that come behind it. */
    public long weightsBehind(int hiddenSize) {
      long output = (long) hiddenSize * outputWidth();
      return latent
          .map(found -> output + (long) heads * found.rank() * found.valueDim())
          .orElse(output);
    }

    /** Columns that attention over the cache gives. */
    public int attendedWidth() {
      return heads * valueDim;
    }

    /** Columns that enter the output projection. */
    public int outputWidth() {
      return heads * latent.map(Latent::valueDim).orElse(valueDim);
    }
  }

  /**
   * Latent attention (DeepSeek): keys and values of all heads are made from one latent per token,
   * and only that and one rotated key that all heads share are cached.
   *
   * @param queryRank width of the latent that queries are made from; 0 if they are made from the
   *     layer's input
   * @param rank width of the latent of keys and values
   * @param plainDim columns of each query and key head that are not rotated
   * @param rotatedDim columns that are
   * @param valueDim columns of each value head
   * @param norm norm of both latents
   */
  public record Latent(
      int queryRank, int rank, int plainDim, int rotatedDim, int valueDim, Norm norm) {
    public Latent {
      Require.atLeast("rank of the queries", queryRank, 0);
      Require.atLeast("rank of keys and values", rank, 1);
      Require.atLeast("width of the plain part of a head", plainDim, 1);
      Require.atLeast("width of the rotated part of a head", rotatedDim, 1);
      Require.atLeast("value head width", valueDim, 1);
    }

    /** Columns of one query or key head before the up projections are taken together. */
    public int headDim() {
      return plainDim + rotatedDim;
    }

    private long weightsBefore(int hiddenSize, int heads) {
      long queries = (long) heads * headDim();
      long fromInput = (queryRank > 0 ? queryRank : queries) + rank + rotatedDim;
      return hiddenSize * fromInput + queryRank * queries + (long) heads * rank * plainDim;
    }

    private void check(int cachedHeads, int cachedKey, int cachedValue) {
      if (cachedHeads != 1 || cachedKey != rank + rotatedDim || cachedValue != rank) {
        throw new IllegalArgumentException(
            "latent attention of rank %d with %d rotated columns caches no %d x (%d + %d) numbers"
                .formatted(rank, rotatedDim, cachedHeads, cachedKey, cachedValue));
      }
    }
  }

  /** Normalisation of queries and keys. */
  public enum QueryKeyNorm {
    NONE,
    /** Each head on its own, one weight for all (Qwen3, Gemma 3). */
    PER_HEAD,
    /** All heads together (OLMoE). */
    WHOLE
  }

  /** What follows attention in a layer. */
  public sealed interface FeedForward permits Mlp, MixtureOfExperts {}

  /**
   * Two or three matrices and an activation.
   *
   * @param width columns between the matrices
   * @param activation the non-linearity
   * @param gated {@code activation(x·gate) * (x·up)} instead of {@code activation(x·up)}
   * @param bias every matrix has a bias
   */
  public record Mlp(int width, Activation activation, boolean gated, boolean bias)
      implements FeedForward {
    public Mlp {
      Require.atLeast("feed-forward width", width, 1);
    }
  }

  /**
   * A mixture of experts.
   *
   * @param experts number of routed experts
   * @param expertsPerToken how many each token takes
   * @param expert what one expert is
   * @param router how they are chosen
   * @param sharedWidth width of the expert that every token takes as well, 0 if there is none
   * @param sharedGate the shared expert's output is multiplied by a sigmoid gate (Qwen2-MoE)
   */
  public record MixtureOfExperts(
      int experts,
      int expertsPerToken,
      Mlp expert,
      Router router,
      int sharedWidth,
      boolean sharedGate)
      implements FeedForward {
    public MixtureOfExperts {
      Require.atLeast("number of experts", experts, 1);
      Require.atLeast("experts per token", expertsPerToken, 1);
      if (expertsPerToken > experts) {
        throw new IllegalArgumentException(
            expertsPerToken + " experts per token of only " + experts + " experts");
      }
    }
  }

  /**
   * How experts are chosen from router logits.
   *
   * @param scoring turns logits into scores
   * @param normalise the chosen weights are divided by their sum
   * @param scale factor on the weights at the end
   * @param correctionBias a learned bias joins the scores for the choice only (DeepSeek-V3)
   * @param groups groups of experts of which only the best are looked at; 1 means no groups
   * @param groupsKept how many groups are looked at
   * @param bias the router matrix has a bias (gpt-oss)
   */
  public record Router(
      Scoring scoring,
      boolean normalise,
      float scale,
      boolean correctionBias,
      int groups,
      int groupsKept,
      boolean bias) {
    /** How logits become scores. */
    public enum Scoring {
      /** Softmax over all experts, then the choice. */
      SOFTMAX,
      /** Sigmoid of each logit. */
      SIGMOID,
      /** The choice by logit, then softmax over the chosen. */
      SOFTMAX_OF_CHOSEN
    }
  }

  /** Non-linearities. */
  public enum Activation {
    SILU,
    /** With the error function. */
    GELU,
    /** With tanh. */
    GELU_TANH,
    RELU,
    /** {@code (up + 1) * gate * sigmoid(1.702 * gate)}, both clamped at 7 (gpt-oss). */
    CLAMPED_SWIGLU
  }

  /**
   * How logits come out.
   *
   * @param tied the matrix is the embedding table
   * @param softCap cap c of {@code c * tanh(logit / c)}; 0 means none
   */
  public record Head(boolean tied, float softCap) {}
}
