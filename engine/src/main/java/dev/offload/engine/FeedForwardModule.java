package dev.offload.engine;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Stream;
import dev.offload.engine.weights.UnitView;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.weights.Role;
import java.util.Optional;

/** The dense feed-forward module of one layer. Enqueues only. */
final class FeedForwardModule {
  private final Operations operations;
  private final Workspace workspace;

  FeedForwardModule(Operations operations, Workspace workspace) {
    this.operations = operations;
    this.workspace = workspace;
  }

  /**
   * The whole module for the rows of a micro-batch.
   *
   * @param residual [T, hidden]
   * @param parallel attention outputs to be added, of a layer whose parts run in parallel
   */
  void run(
      Stream stream, Layer layer, UnitView weights, Matrix residual, Optional<Matrix> parallel) {
    Matrix x = workspace.normed(residual.rows());
    normalise(stream, layer, weights, residual, x);
    Mlp mlp = (Mlp) layer.feedForward();
    Matrix activated = activate(stream, mlp, weights, x);
    Optional<NormSpec> postNorm = weights.norm(layer.norm(), Role.FEED_FORWARD_POST_NORM);
    Matrix out = postNorm.isPresent() ? workspace.projected(residual.rows()) : residual;
    operations.matmul(
        stream,
        activated,
        weights.weight(Role.DOWN),
        weights.vector(Role.DOWN_BIAS),
        postNorm.isEmpty(),
        out);
    postNorm.ifPresent(
        norm -> {
          operations.norm(stream, out, norm, out);
          operations.add(stream, residual, out);
        });
    parallel.ifPresent(attention -> operations.add(stream, residual, attention));
    if (layer.norms() == NormPlacement.AFTER) {
      operations.norm(stream, residual, feedForwardNorm(layer, weights), residual);
    }
  }

  /** The rows that enter a feed-forward module. */
  void normalise(Stream stream, Layer layer, UnitView weights, Matrix residual, Matrix x) {
    if (layer.norms() == NormPlacement.AFTER) {
      operations.convert(stream, residual, x);
    } else {
      operations.norm(stream, residual, feedForwardNorm(layer, weights), x);
    }
  }

  /** First matrix and activation of a feed-forward module. */
  Matrix activate(Stream stream, Mlp mlp, UnitView weights, Matrix x) {
    Matrix up = workspace.up(x.rows(), mlp.gated() ? 2 * mlp.width() : mlp.width());
    Matrix activated = workspace.activated(x.rows(), mlp.width());
    operations.matmul(stream, x, weights.weight(Role.UP), weights.vector(Role.UP_BIAS), false, up);
    operations.activate(stream, up, activation(mlp), mlp.gated(), activated);
    return activated;
  }

  static Activation activation(Mlp mlp) {
    return switch (mlp.activation()) {
      case SILU -> Activation.SILU;
      case GELU -> Activation.GELU;
      case GELU_TANH -> Activation.GELU_TANH;
      case RELU -> Activation.RELU;
      case CLAMPED_SWIGLU -> Activation.CLAMPED_SWIGLU;
    };
  }

  private static NormSpec feedForwardNorm(Layer layer, UnitView weights) {
    return weights
        .norm(layer.norm(), Role.FEED_FORWARD_NORM, Role.FEED_FORWARD_NORM_BIAS)
        .orElseThrow();
  }
}
