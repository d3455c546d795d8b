package dev.offload.backends.api;

import java.util.List;
import java.util.Optional;

/**
 * What a transformer computes. Every method enqueues on the given stream and returns; arguments are
 * checked before, with an {@link IllegalArgumentException} that names both sizes. Operands are
 * views into memory of this device. Outputs may not overlap inputs unless a method says so.
 * Matrices may be F32, F16 or BF16 and differ from each other; sums are taken in F32 or better.
 * Beside its operands a method uses no device memory but the scratch of its stream, see {@link
 * DataLayout#scratchBytes}.
 */
public interface Operations extends DataLayout {

  // Weights

  /**
   * Packed weights are cut in panels of this many outputs, the last one perhaps of fewer, that lie
   * one after the other: whole panels of a weight are a weight themselves, packed or multiplied
   * alone with the same result: to the bit where {@link #multipliesPanelsExactly}, else within
   * rounding. Products of equal sizes, strides and formats are equal to the bit on every device;
   * what a row becomes may depend on how many rows there are.
   */
  int PANEL_OUTPUTS = 64;

  /** Whether a product of whole panels is to the bit that of the whole weight. */
  default boolean multipliesPanelsExactly() {
    return true;
  }

  /** Puts a row-major weight into the device's own order. Same dtype and sizes, no overlap. */
  void pack(Stream stream, Weight rowMajor, Weight packed);

  // Matrix products

  /**
   * {@code out = x · weightᵀ + bias}, plus what {@code out} held if {@code accumulate}.
   *
   * @param x [M, inputs]
   * @param out [M, outputs], F32 if {@code accumulate}
   * @param bias [outputs]
   */
  void matmul(
      Stream stream,
      Matrix x,
      Weight weight,
      Optional<Vector> bias,
      boolean accumulate,
      Matrix out);

  /**
   * Multiplies row ranges of {@code x} with a weight each: for each group {@code out[rows] =
   * x[rows] · weightᵀ}. Rows outside all groups are not touched. Groups do not overlap and their
   * weights have equal sizes.
   *
   * @param x [M, inputs]
   * @param biases one row of {@code outputs} numbers per group, or empty
   * @param out [M, outputs]
   */
  void groupedMatmul(
      Stream stream, Matrix x, List<WeightRows> groups, List<Vector> biases, Matrix out);

  // Rows

  /**
   * {@code out[i] = table[indices[i]]}, converted to the format of {@code out}.
   *
   * @param table [rows, columns]
   * @param out [indices.length, columns]
   */
  void gatherRows(Stream stream, Matrix table, Indices indices, Matrix out);

  /** {@code out = x}, converted. */
  void convert(Stream stream, Matrix x, Matrix out);

  /** {@code x += y}. */
  void add(Stream stream, Matrix x, Matrix y);

  /** {@code x[r] *= sigmoid(gate[r])} for each row r; {@code gate} is [M, 1]. */
  void scaleRowsBySigmoid(Stream stream, Matrix x, Matrix gate);

  /** {@code x = cap * tanh(x / cap)}. */
  void softCap(Stream stream, Matrix x, float cap);

  /**
   * {@code out = norm(x)} row by row. {@code out} may be {@code x}.
   *
   * @param x [M, columns]
   */
  void norm(Stream stream, Matrix x, NormSpec norm, Matrix out);

  /**
   * {@code residual += y; out = norm(residual)} row by row, in one go.
   *
   * @param residual [M, columns], F32
   * @param y [M, columns]
   * @param out [M, columns]
   */
  void addNorm(Stream stream, Matrix residual, Matrix y, NormSpec norm, Matrix out);

  /**
   * RMSNorm of every head on its own, in place: columns are {@code heads} runs of {@code columns /
   * heads}.
   *
   * @param x [M, heads * d]
   * @param norm weight of length d
   */
  void headNorm(Stream stream, Matrix x, int heads, NormSpec norm);

  /**
   * The activation of a feed-forward module.
   *
   * @param x gated: [M, 2·width] with the gate in the left half; else [M, width]
   * @param out [M, width]
   */
  void activate(Stream stream, Matrix x, Activation activation, boolean gated, Matrix out);

  // Attention

  /**
   * Rotates heads in place. For pair i of a head, {@code (a, b)} becomes {@code (a·cos - b·sin,
   * b·cos + a·sin)}; the pairs are {@code (i, i + dimensions/2)}, or {@code (2i, 2i+1)} if
   * interleaved.
   *
   * @param x [T, heads * d]; dimensions beyond {@code dimensions} of each head stay
   * @param cosSin [T, dimensions] F32: cosines in the left half, sines in the right
   */
  void rope(Stream stream, Matrix x, int heads, int dimensions, boolean interleaved, Matrix cosSin);

  /**
   * Writes keys and values into the cache at {@code batch.slots()}.
   *
   * @param keys [T, kvHeads * headDim], rotated
   * @param values [T, kvHeads * valueDim]; not read where the cache has values in keys
   */
  void appendKv(Stream stream, Matrix keys, Matrix values, RaggedBatch batch, KvBlocks cache);

  /**
   * {@link #rope} of queries and keys, then {@link #appendKv} of the keys: to the bit what these
   * give one after the other. Devices that launch kernels need one for it.
   *
   * @param x [T, heads * headDim], rotated in place: heads of queries, if any, and behind them the
   *     kvHeads of keys
   * @param cosSin as for {@link #rope}
   * @param values as for {@link #appendKv}
   */
  default void rotateAndAppend(
      Stream stream,
      Matrix x,
      int dimensions,
      boolean interleaved,
      Matrix cosSin,
      Matrix values,
      RaggedBatch batch,
      KvBlocks cache) {
    Matrix keys = OperandChecks.keysBehindQueries(x, cache);
    OperandChecks.keysAndValues(keys, values, batch, cache, this);
    rope(stream, x, x.columns() / cache.format().headDim(), dimensions, interleaved, cosSin);
    appendKv(stream, keys, values, batch, cache);
  }

  /**
   * Causal attention of each row over the cache of its sequence, whose own keys and values are
   * there already. Keys and values that sequences share, {@link RaggedBatch#prefixes}, may be read
   * once for all rows of a run; the result is the same within rounding.
   *
   * @param queries [T, heads * headDim]
   * @param out [T, heads * valueDim]
   */
  void attention(
      Stream stream,
      Matrix queries,
      KvBlocks cache,
      RaggedBatch batch,
      AttentionSpec attention,
      Matrix out);

  /**
   * Whether {@link #attention} gives the same to the bit with and without {@link
   * RaggedBatch#prefixes}.
   */
  default boolean attendsToPrefixesExactly() {
    return false;
  }

  // Mixtures of experts

  /**
   * Chooses experts. Ties go to the lower expert number. Chosen experts come by falling selection
   * score.
   *
   * @param logits [T, experts]
   * @param experts T·k expert numbers, row by row
   * @param weights [T, k] F32
   */
  void route(Stream stream, Matrix logits, RouterSpec router, Indices experts, Matrix weights);

  /**
   * Adds up expert outputs: {@code out[t] = Σ_j weights[t, j] * y[rows[t·k + j]]}, j ascending,
   * plus what {@code out} held if {@code accumulate}.
   *
   * @param y [T·k, columns]
   * @param rows T·k row numbers of {@code y}
   * @param weights [T, k] F32
   * @param out [T, columns] F32
   */
  void combine(
      Stream stream, Matrix y, Indices rows, Matrix weights, boolean accumulate, Matrix out);

  // Logits

  /**
   * The largest numbers of each row, as many as {@code largest} has columns, by falling number and
   * of equal ones the lower column first. NaN counts as larger than all numbers, −0 as 0.
   *
   * @param x [M, columns] F32
   * @param largest [M, count] F32, bits as in {@code x}
   * @param columns M·count column numbers
   * @param sums [M, 1] F32, {@code Σ exp(x − the largest)} of each row, undefined where the largest
   *     is not finite; or empty
   */
  void largest(Stream stream, Matrix x, Matrix largest, Indices columns, Optional<Matrix> sums);
}
