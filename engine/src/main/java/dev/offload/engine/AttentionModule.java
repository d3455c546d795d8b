package dev.offload.engine;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.engine.pass.MicroBatchInput;
import dev.offload.engine.weights.UnitView;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.weights.Role;
import java.util.Optional;

/** The attention module of one layer, step by step. Enqueues only. */
final class AttentionModule {
  private final Operations operations;
  private final Workspace workspace;
  private final LatentAttention latent;

  AttentionModule(Operations operations, Workspace workspace) {
    this.operations = operations;
    this.workspace = workspace;
    latent = new LatentAttention(operations, workspace);
  }

  /**
   * Queries, keys and values of a micro-batch, normalised and rotated.
   *
   * @param residual [T, hidden]
   * @param qkv [T, qkv width]
   */
  void project(
      Stream stream,
      Layer layer,
      UnitView weights,
      MicroBatchInput input,
      Matrix residual,
      Matrix qkv) {
    Attention attention = layer.attention();
    projectUnrotated(stream, layer, weights, input, residual, qkv);
    if (isRotatedHere(attention)) {
      operations.rope(
          stream,
          queriesAndKeys(attention, qkv),
          attention.heads() + attention.keyValueHeads(),
          attention.rope().dimensions(),
          attention.rope().interleaved(),
          input.rotation(attention.rope()));
    }
  }

  /**
   * As {@link #project}, and appends to the cache, which is on the device.
   *
   * @param qkv [T, qkv width]
   */
  void projectAndAppend(
      Stream stream,
      Layer layer,
      UnitView weights,
      MicroBatchInput input,
      Matrix residual,
      KvBlocks cache,
      Matrix qkv) {
    Attention attention = layer.attention();
    projectUnrotated(stream, layer, weights, input, residual, qkv);
    if (!isRotatedHere(attention)) {
      append(operations, stream, layer, input.onDevice(), cache, qkv);
      return;
    }
    operations.rotateAndAppend(
        stream,
        queriesAndKeys(attention, qkv),
        attention.rope().dimensions(),
        attention.rope().interleaved(),
        input.rotation(attention.rope()),
        values(attention, qkv),
        input.onDevice(),
        cache);
  }

  /** All of a latent attention, which rotates on the way; of others what comes before that. */
  private void projectUnrotated(
      Stream stream,
      Layer layer,
      UnitView weights,
      MicroBatchInput input,
      Matrix residual,
      Matrix qkv) {
    Attention attention = layer.attention();
    Matrix x = workspace.normed(residual.rows());
    if (layer.norms() == NormPlacement.AFTER) {
      operations.convert(stream, residual, x);
    } else {
      operations.norm(stream, residual, attentionNorm(layer, weights), x);
    }
    if (attention.latent().isPresent()) {
      latent.project(stream, attention, weights, x, input.rotation(attention.rope()), qkv);
      return;
    }
    operations.matmul(
        stream, x, weights.weight(Role.QKV), weights.vector(Role.QKV_BIAS), false, qkv);
    normHeads(stream, layer, weights, Role.QUERY_NORM, queries(attention, qkv), attention.heads());
    normHeads(
        stream, layer, weights, Role.KEY_NORM, keys(attention, qkv), attention.keyValueHeads());
  }

  /** A latent attention rotates while it projects. */
  private static boolean isRotatedHere(Attention attention) {
    return attention.latent().isEmpty() && attention.rope().dimensions() > 0;
  }

  private void normHeads(
      Stream stream, Layer layer, UnitView weights, Role role, Matrix x, int heads) {
    switch (layer.attention().queryKeyNorm()) {
      case NONE -> {}
      case PER_HEAD ->
          operations.headNorm(stream, x, heads, weights.norm(layer.norm(), role).orElseThrow());
      case WHOLE -> operations.norm(stream, x, weights.norm(layer.norm(), role).orElseThrow(), x);
    }
  }

  /** Appends keys and values to the cache, with the operations of where that is. */
  static void append(
      Operations operations,
      Stream stream,
      Layer layer,
      RaggedBatch batch,
      KvBlocks cache,
      Matrix qkv) {
    Attention attention = layer.attention();
    operations.appendKv(stream, keys(attention, qkv), values(attention, qkv), batch, cache);
  }

  /** Attends to the cache. Runs on the device, or with the host's operations on host memory. */
  static void attend(
      Operations operations,
      Stream stream,
      Layer layer,
      Optional<Vector> sinks,
      RaggedBatch batch,
      KvBlocks cache,
      Matrix qkv,
      Matrix attended) {
    Attention attention = layer.attention();
    AttentionSpec spec =
        new AttentionSpec(
            attention.heads(), attention.scale(), attention.window(), attention.softCap(), sinks);
    operations.attention(stream, queries(attention, qkv), cache, batch, spec, attended);
  }

  /** Output projection and residual addition. */
  void output(
      Stream stream,
      Layer layer,
      UnitView weights,
      Matrix attended,
      Matrix residual,
      Optional<Matrix> parallel) {
    Matrix values =
        layer.attention().latent().isPresent()
            ? latent.values(stream, layer.attention(), weights, attended)
            : attended;
    boolean direct = parallel.isEmpty() && weights.vector(Role.ATTENTION_POST_NORM).isEmpty();
    Matrix out = direct ? residual : parallel.orElseGet(() -> workspace.projected(residual.rows()));
    operations.matmul(
        stream,
        values,
        weights.weight(Role.ATTENTION_OUTPUT),
        weights.vector(Role.ATTENTION_OUTPUT_BIAS),
        direct,
        out);
    weights
        .norm(layer.norm(), Role.ATTENTION_POST_NORM)
        .ifPresent(norm -> operations.norm(stream, out, norm, out));
    if (!direct && parallel.isEmpty()) {
      operations.add(stream, residual, out);
    }
    if (layer.norms() == NormPlacement.AFTER) {
      operations.norm(stream, residual, attentionNorm(layer, weights), residual);
    }
  }

  private static NormSpec attentionNorm(Layer layer, UnitView weights) {
    return weights.norm(layer.norm(), Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS).orElseThrow();
  }

  private static Matrix queriesAndKeys(Attention attention, Matrix qkv) {
    return qkv.columns(0, (attention.heads() + attention.keyValueHeads()) * attention.headDim());
  }

  private static Matrix queries(Attention attention, Matrix qkv) {
    return qkv.columns(0, attention.heads() * attention.headDim());
  }

  private static Matrix keys(Attention attention, Matrix qkv) {
    return qkv.columns(
        attention.heads() * attention.headDim(), attention.keyValueHeads() * attention.headDim());
  }

  /** Behind the keys; a latent is key and value at once. */
  private static Matrix values(Attention attention, Matrix qkv) {
    int headsBefore =
        attention.heads() + (attention.latent().isPresent() ? 0 : attention.keyValueHeads());
    return qkv.columns(
        headsBefore * attention.headDim(), attention.keyValueHeads() * attention.valueDim());
  }
}
