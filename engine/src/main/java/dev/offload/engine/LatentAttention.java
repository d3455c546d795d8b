package dev.offload.engine;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Stream;
import dev.offload.engine.weights.UnitView;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Latent;
import dev.offload.tensors.weights.Role;
import java.util.Optional;

/**
 * What latent attention does beside attending: all heads read one cached row per token, its latent
 * and a rotated key. So the matrix that would make keys out of the latent is applied to the queries
 * instead, and the one that would make values to what was attended (arXiv 2405.04434, section
 * 2.1.2). Enqueues only.
 */
final class LatentAttention {
  private final Operations operations;
  private final Workspace workspace;

  LatentAttention(Operations operations, Workspace workspace) {
    this.operations = operations;
    this.workspace = workspace;
  }

  /** Columns that are computed from the layer's input. */
  static int width(Attention attention) {
    Latent latent = attention.latent().orElseThrow();
    return queryColumns(attention, latent) + latent.rank() + latent.rotatedDim();
  }

  private static int queryColumns(Attention attention, Latent latent) {
    return latent.queryRank() > 0 ? latent.queryRank() : attention.heads() * latent.headDim();
  }

  /**
   * Queries and the cached key of a micro-batch.
   *
   * @param x the layer's input, normalised, [T, hidden]
   * @param rotation cosines and sines, [T, rotated]
   * @param qkv [T, heads · (rank + rotated) + rank + rotated]; in each head the latent comes first
   */
  void project(
      Stream stream, Attention attention, UnitView weights, Matrix x, Matrix rotation, Matrix qkv) {
    Latent latent = attention.latent().orElseThrow();
    Matrix latents = workspace.latents(x.rows(), width(attention));
    operations.matmul(stream, x, weights.weight(Role.QKV), Optional.empty(), false, latents);
    int keyAt = queryColumns(attention, latent);
    makeKey(
        stream,
        attention,
        weights,
        latents.columns(keyAt, attention.headDim()),
        rotation,
        qkv.columns(attention.heads() * attention.headDim(), attention.headDim()));
    Matrix queries = queries(stream, attention, weights, latents.columns(0, keyAt));
    rotate(stream, attention, queries, attention.heads(), rotation);
    for (int head = 0; head < attention.heads(); head++) {
      Matrix query = queries.columns(head * latent.headDim(), latent.headDim());
      Matrix to = qkv.columns(head * attention.headDim(), attention.headDim());
      operations.matmul(
          stream,
          query.columns(latent.rotatedDim(), latent.plainDim()),
          weights.weight(Role.KEY_UP, head),
          Optional.empty(),
          false,
          to.columns(0, latent.rank()));
      operations.convert(
          stream,
          query.columns(0, latent.rotatedDim()),
          to.columns(latent.rank(), latent.rotatedDim()));
    }
  }

  /** The latent, normalised, and the rotated key behind it. */
  private void makeKey(
      Stream stream,
      Attention attention,
      UnitView weights,
      Matrix from,
      Matrix rotation,
      Matrix to) {
    Latent latent = attention.latent().orElseThrow();
    Matrix rotated = to.columns(latent.rank(), latent.rotatedDim());
    operations.norm(
        stream,
        from.columns(0, latent.rank()),
        weights.norm(latent.norm(), Role.KEY_VALUE_LATENT_NORM).orElseThrow(),
        to.columns(0, latent.rank()));
    operations.convert(stream, from.columns(latent.rank(), latent.rotatedDim()), rotated);
    rotate(stream, attention, rotated, 1, rotation);
  }

  private void rotate(Stream stream, Attention attention, Matrix x, int heads, Matrix rotation) {
    operations.rope(
        stream, x, heads, attention.rope().dimensions(), attention.rope().interleaved(), rotation);
  }

  /** [T, heads · (rotated + plain)]. */
  private Matrix queries(Stream stream, Attention attention, UnitView weights, Matrix projected) {
    Latent latent = attention.latent().orElseThrow();
    if (latent.queryRank() == 0) {
      return projected;
    }
    Matrix normed = workspace.queryLatent(projected.rows(), latent.queryRank());
    operations.norm(
        stream,
        projected,
        weights.norm(latent.norm(), Role.QUERY_LATENT_NORM).orElseThrow(),
        normed);
    Matrix queries = workspace.queries(projected.rows(), attention.heads() * latent.headDim());
    operations.matmul(
        stream, normed, weights.weight(Role.QUERY_UP), Optional.empty(), false, queries);
    return queries;
  }

  /**
   * Values of all heads.
   *
   * @param attended latents, [T, heads · rank]
   * @return [T, heads · dv]
   */
  Matrix values(Stream stream, Attention attention, UnitView weights, Matrix attended) {
    Latent latent = attention.latent().orElseThrow();
    Matrix values = workspace.values(attended.rows(), attention.outputWidth());
    for (int head = 0; head < attention.heads(); head++) {
      operations.matmul(
          stream,
          attended.columns(head * latent.rank(), latent.rank()),
          weights.weight(Role.VALUE_UP, head),
          Optional.empty(),
          false,
          values.columns(head * latent.valueDim(), latent.valueDim()));
    }
    return values;
  }
}
