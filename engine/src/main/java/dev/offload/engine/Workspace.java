package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.planner.Plan;
import dev.offload.sampling.WantedLogits;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Latent;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;

/**
 * Device memory for activations, allocated once. The residual stream and what outlives a module
 * have places of their own; the modules share the rest, since they run one after the other.
 */
final class Workspace implements AutoCloseable {

  /** A place for up to {@code rows} rows of {@code columns} numbers. */
  private record Place(long offset, DType dtype, int rows, int columns) {
    long end() {
      return align(offset + (long) rows * columns * dtype.bytes());
    }

    Matrix matrix(DeviceBuffer buffer, int count, int width) {
      if ((long) count * width > (long) rows * columns) {
        throw new IllegalArgumentException(
            "%d x %d do not fit a workspace of %d x %d".formatted(count, width, rows, columns));
      }
      return Matrix.dense(buffer, offset, dtype, count, width);
    }
  }

  private final DType inputDType;
  private final Place residual;
  private final Place normed;
  private final Place parallel;
  private final Place qkv;
  private final Place attended;
  private final Place latents;
  private final Place queryLatent;
  private final Place queries;
  private final Place values;
  private final Place up;
  private final Place activated;
  private final Place projected;
  private final Place routerLogits;
  private final Place routerWeights;
  private final Place indices;
  private final Place collected;
  private final Place expertUp;
  private final Place expertActivated;
  private final Place expertOut;
  private final Place gate;
  private final Place selected;
  private final Place narrowed;
  private final Place logits;
  private final Place bestLogits;
  private final long bytes;
  private DeviceBuffer buffer;

  private Workspace(ModelConfig model, Plan plan, DType inputDType) {
    this.inputDType = inputDType;
    int hidden = model.hiddenSize();
    int pass = plan.passTokens();
    int microBatch = plan.microBatchTokens();
    int qkvWidth = model.layers().stream().mapToInt(l -> l.attention().qkvWidth()).max().orElse(1);
    int attendedWidth =
        model.layers().stream().mapToInt(l -> l.attention().attendedWidth()).max().orElse(1);
    residual = new Place(0, DType.F32, pass, hidden);
    normed = new Place(residual.end(), inputDType, pass, hidden);
    boolean anyParallel = model.layers().stream().anyMatch(Layer::parallel);
    parallel = new Place(normed.end(), DType.F32, anyParallel ? pass : 0, hidden);
    projected = new Place(parallel.end(), DType.F32, pass, hidden);
    long shared = projected.end();

    qkv = new Place(shared, DType.F32, microBatch, qkvWidth);
    attended = new Place(qkv.end(), inputDType, microBatch, attendedWidth);
    LatentWidths latent = LatentWidths.of(model);
    latents = new Place(attended.end(), DType.F32, microBatch, latent.latents);
    queryLatent = new Place(latents.end(), inputDType, microBatch, latent.queryLatent);
    queries = new Place(queryLatent.end(), DType.F32, microBatch, latent.queries);
    values = new Place(queries.end(), inputDType, microBatch, latent.values);

    Widths widths = Widths.of(model);
    up =
        new Place(shared, DType.F32, Math.max(microBatch, widths.shared > 0 ? pass : 0), widths.up);
    activated = new Place(up.end(), inputDType, up.rows(), widths.activated);

    int pairs = pass * widths.expertsPerToken;
    routerLogits =
        new Place(activated.end(), DType.F32, widths.experts > 0 ? pass : 0, widths.experts);
    routerWeights = new Place(routerLogits.end(), DType.F32, pass, widths.expertsPerToken);
    indices = new Place(routerWeights.end(), DType.F32, 3, pairs);
    gate = new Place(indices.end(), DType.F32, pass, 1);
    collected = new Place(gate.end(), inputDType, pairs, hidden);
    expertUp = new Place(collected.end(), DType.F32, pairs, widths.expertUp);
    expertActivated = new Place(expertUp.end(), inputDType, pairs, widths.expertActivated);
    expertOut = new Place(expertActivated.end(), DType.F32, pairs, hidden);

    int rows = plan.maxSequences();
    selected = new Place(shared, inputDType, rows, hidden);
    boolean narrow = model.embedding().width() != hidden;
    narrowed =
        new Place(
            selected.end(),
            inputDType,
            narrow ? Math.max(rows, pass) : 0,
            model.embedding().width());
    int vocabulary = model.vocabularySize();
    logits = new Place(narrowed.end(), DType.F32, rows, vocabulary);
    int best = Math.min(new WantedLogits(WantedLogits.MOST_BEST, true).numbers(), vocabulary);
    bestLogits = new Place(logits.end(), DType.F32, rows, best);
    bytes = Math.max(Math.max(values.end(), expertOut.end()), bestLogits.end());
  }

  private record Widths(
      int up,
      int activated,
      int shared,
      int experts,
      int expertsPerToken,
      int expertUp,
      int expertActivated) {

    static Widths of(ModelConfig model) {
      int up = 0;
      int activated = 0;
      int shared = 0;
      int experts = 0;
      int perToken = 0;
      int expertUp = 0;
      int expertActivated = 0;
      for (Layer layer : model.layers()) {
        switch (layer.feedForward()) {
          case Mlp mlp -> {
            up = Math.max(up, mlp.gated() ? 2 * mlp.width() : mlp.width());
            activated = Math.max(activated, mlp.width());
          }
          case MixtureOfExperts mixture -> {
            Mlp expert = mixture.expert();
            shared = Math.max(shared, mixture.sharedWidth());
            up = Math.max(up, 2 * mixture.sharedWidth());
            activated = Math.max(activated, mixture.sharedWidth());
            experts = Math.max(experts, mixture.experts());
            perToken = Math.max(perToken, mixture.expertsPerToken());
            expertUp = Math.max(expertUp, expert.gated() ? 2 * expert.width() : expert.width());
            expertActivated = Math.max(expertActivated, expert.width());
          }
        }
      }
      return new Widths(up, activated, shared, experts, perToken, expertUp, expertActivated);
    }
  }

  /** What latent attention needs beside queries, keys and values; nothing in other models. */
  private record LatentWidths(int latents, int queryLatent, int queries, int values) {
    static LatentWidths of(ModelConfig model) {
      int latents = 0;
      int queryLatent = 0;
      int queries = 0;
      int values = 0;
      for (Layer layer : model.layers()) {
        Attention attention = layer.attention();
        if (attention.latent().isPresent()) {
          Latent latent = attention.latent().get();
          latents = Math.max(latents, LatentAttention.width(attention));
          queryLatent = Math.max(queryLatent, latent.queryRank());
          queries =
              Math.max(queries, latent.queryRank() > 0 ? attention.heads() * latent.headDim() : 0);
          values = Math.max(values, attention.outputWidth());
        }
      }
      return new LatentWidths(latents, queryLatent, queries, values);
    }
  }

  /** Bytes that a workspace takes. */
  static long bytes(ModelConfig model, Plan plan, DType inputDType) {
    return new Workspace(model, plan, inputDType).bytes;
  }

  static Workspace allocate(ModelConfig model, Plan plan, DType inputDType, Device device) {
    Workspace workspace = new Workspace(model, plan, inputDType);
    workspace.buffer = device.allocate("activations", workspace.bytes);
    return workspace;
  }

  private static long align(long bytes) {
    return (bytes + 63) / 64 * 64;
  }

  /** Format of left operands of matrix products. */
  DType inputDType() {
    return inputDType;
  }

  /** The residual stream, F32: rows of the pass, micro-batch after micro-batch. */
  Matrix residual(int rows) {
    return residual.matrix(buffer, rows, residual.columns());
  }

  /** Normalised rows of the pass. */
  Matrix normed(int rows) {
    return normed.matrix(buffer, rows, normed.columns());
  }

  /** Attention outputs of layers whose parts run in parallel, F32. */
  Matrix parallel(int rows) {
    return parallel.matrix(buffer, rows, parallel.columns());
  }

  /** A module's output before its own norm or gate, F32. */
  Matrix projected(int rows) {
    return projected.matrix(buffer, rows, projected.columns());
  }

  Matrix qkv(int rows, int width) {
    return qkv.matrix(buffer, rows, width);
  }

  Matrix attended(int rows, int width) {
    return attended.matrix(buffer, rows, width);
  }

  /** Latent attention: queries or their latent, the latent of keys and values, the rotated key. */
  Matrix latents(int rows, int width) {
    return latents.matrix(buffer, rows, width);
  }

  /** The latent of queries, normalised. */
  Matrix queryLatent(int rows, int width) {
    return queryLatent.matrix(buffer, rows, width);
  }

  /** Queries made from their latent. */
  Matrix queries(int rows, int width) {
    return queries.matrix(buffer, rows, width);
  }

  /** Values made from attended latents. */
  Matrix values(int rows, int width) {
    return values.matrix(buffer, rows, width);
  }

  Matrix up(int rows, int width) {
    return up.matrix(buffer, rows, width);
  }

  Matrix activated(int rows, int width) {
    return activated.matrix(buffer, rows, width);
  }

  Matrix routerLogits(int rows, int experts) {
    return routerLogits.matrix(buffer, rows, experts);
  }

  Matrix routerWeights(int rows, int expertsPerToken) {
    return routerWeights.matrix(buffer, rows, expertsPerToken);
  }

  /** Chosen expert of each (token, choice) pair. */
  Indices chosen(int pairs) {
    return indices(0, pairs);
  }

  /** Token of each row sorted by expert. */
  Indices tokenOfRow(int pairs) {
    return indices(1, pairs);
  }

  /** Sorted row of each (token, choice) pair. */
  Indices rowOfPair(int pairs) {
    return indices(2, pairs);
  }

  private Indices indices(int which, int pairs) {
    return new Indices(buffer, indices.offset() + 4L * which * indices.columns(), pairs);
  }

  Matrix gate(int rows) {
    return gate.matrix(buffer, rows, 1);
  }

  Matrix collected(int pairs) {
    return collected.matrix(buffer, pairs, collected.columns());
  }

  Matrix expertUp(int pairs, int width) {
    return expertUp.matrix(buffer, pairs, width);
  }

  Matrix expertActivated(int pairs, int width) {
    return expertActivated.matrix(buffer, pairs, width);
  }

  Matrix expertOut(int pairs) {
    return expertOut.matrix(buffer, pairs, expertOut.columns());
  }

  Matrix selected(int rows) {
    return selected.matrix(buffer, rows, selected.columns());
  }

  Matrix narrowed(int rows) {
    return narrowed.matrix(buffer, rows, narrowed.columns());
  }

  Matrix logits(int rows) {
    return logits.matrix(buffer, rows, logits.columns());
  }

  /** The largest logits of rows; their tokens and then sums follow at once. */
  Matrix largestLogits(int rows, int count) {
    return bestLogits.matrix(buffer, rows, count);
  }

  /** The tokens of the largest logits, row by row. */
  Indices largestTokens(int rows, int count) {
    return new Indices(buffer, bestLogits.offset() + 4L * rows * count, rows * count);
  }

  /** Sums of exponentials of rows of which so many of the largest logits are wanted. */
  Matrix exponentials(int rows, int count) {
    return Matrix.dense(buffer, bestLogits.offset() + 8L * rows * count, DType.F32, rows, 1);
  }

  @Override
  public void close() {
    buffer.close();
  }
}
