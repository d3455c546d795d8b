package dev.offload.backends.kernels;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RouterSpec;
import dev.offload.backends.api.RowMajorLayout;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Optional;

/**
 * The operations on a device that runs kernels: checks operands on the caller's thread, then
 * enqueues. Weights stay row-major. Thread-safe.
 */
public final class KernelOperations implements Operations {

  /** As many as a warp of NVIDIA reads side by side. */
  private static final int KV_BLOCK_TOKENS = 32;

  /** A work-item that takes turns with others reads whole cache lines. */
  private static final int CACHE_LINE_NUMBERS = 16;

  private static final int SMALL_GROUP = 64;
  private static final int LARGE_GROUP = 256;

  private final KernelLauncher launcher;
  private final RowMajorLayout layout;
  private final LibraryProducts products;
  private final AttentionLauncher attention;

  /** Operations by kernels alone. */
  public KernelOperations(KernelLauncher launcher) {
    this(launcher, Optional.empty());
  }

  /**
   * Operations by kernels, and matrix products by a library.
   *
   * @param library empty for products by a kernel
   */
  public KernelOperations(KernelLauncher launcher, Optional<ProductLibrary> library) {
    this.launcher = launcher;
    layout = new RowMajorLayout(KV_BLOCK_TOKENS, launcher.scratchBytes());
    products = new LibraryProducts(launcher, library);
    attention = new AttentionLauncher(launcher);
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return layout.packedBytes(dtype, outputs, inputs);
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return layout.packs(dtype, outputs, inputs);
  }

  @Override
  public long kvBlockBytes(KvBlocks.Format format) {
    return layout.kvBlockBytes(format);
  }

  @Override
  public int kvBlockTokens() {
    return layout.kvBlockTokens();
  }

  @Override
  public DType matrixInput(DType weights) {
    return layout.matrixInput(weights);
  }

  @Override
  public long scratchBytes(OperationSizes sizes) {
    return layout.scratchBytes(sizes);
  }

  @Override
  public void pack(Stream stream, Weight rowMajor, Weight packed) {
    throw new IllegalArgumentException(
        "weights stay row-major on this device, so that %s is not packed".formatted(rowMajor));
  }

  /** A library may choose how it sums up by the number of outputs too. */
  @Override
  public boolean multipliesPanelsExactly() {
    return !products.hasLibrary();
  }

  @Override
  public void matmul(
      Stream stream,
      Matrix x,
      Weight weight,
      Optional<Vector> bias,
      boolean accumulate,
      Matrix out) {
    OperandChecks.product(x, weight, accumulate, out);
    bias.ifPresent(vector -> OperandChecks.bias(vector, weight));
    checkWeight(weight);
    products.multiply(stream, x, weight, bias, accumulate, out);
  }

  @Override
  public void groupedMatmul(
      Stream stream, Matrix x, List<WeightRows> groups, List<Vector> biases, Matrix out) {
    if (groups.isEmpty()) {
      return;
    }
    OperandChecks.groups(x, groups, biases, out);
    groups.forEach(group -> checkWeight(group.weight()));
    for (int g = 0; g < groups.size(); g++) {
      WeightRows group = groups.get(g);
      products.multiply(
          stream,
          x.rows(group.firstRow(), group.rows()),
          group.weight(),
          biases.isEmpty() ? Optional.empty() : Optional.of(biases.get(g)),
          false,
          out.rows(group.firstRow(), group.rows()));
    }
  }

  private void checkWeight(Weight weight) {
    OperandChecks.weight(weight, packedBytes(weight.dtype(), weight.outputs(), weight.inputs()));
  }

  @Override
  public void gatherRows(Stream stream, Matrix table, Indices indices, Matrix out) {
    OperandChecks.equal("number of indices", indices.length(), "rows of out", out.rows());
    OperandChecks.equal("columns of the table", table.columns(), "columns of out", out.columns());
    launchRows(
        stream,
        out,
        new Launch("rows", "gather_rows")
            .matrix(table)
            .integer(table.rows())
            .integer(table.columns())
            .indices(indices)
            .matrix(out)
            .status());
  }

  @Override
  public void convert(Stream stream, Matrix x, Matrix out) {
    OperandChecks.sameSize("x", x, "out", out);
    launchRows(stream, x, new Launch("rows", "convert").matrix(x).integer(x.columns()).matrix(out));
  }

  @Override
  public void add(Stream stream, Matrix x, Matrix y) {
    OperandChecks.sameSize("x", x, "y", y);
    launchRows(stream, x, new Launch("rows", "add").matrix(x).integer(x.columns()).matrix(y));
  }

  @Override
  public void scaleRowsBySigmoid(Stream stream, Matrix x, Matrix gate) {
    OperandChecks.equal("rows of x", x.rows(), "rows of the gate", gate.rows());
    OperandChecks.equal("columns of the gate", gate.columns(), "what they must be", 1);
    launchRows(
        stream,
        x,
        new Launch("rows", "scale_rows_by_sigmoid").matrix(x).integer(x.columns()).matrix(gate));
  }

  @Override
  public void softCap(Stream stream, Matrix x, float cap) {
    if (!(cap > 0)) {
      throw new IllegalArgumentException("the cap is " + cap + ", must be above 0");
    }
    launchRows(
        stream, x, new Launch("rows", "soft_cap").matrix(x).integer(x.columns()).number(cap));
  }

  @Override
  public void norm(Stream stream, Matrix x, NormSpec norm, Matrix out) {
    OperandChecks.sameSize("x", x, "out", out);
    OperandChecks.norm(norm, x.columns());
    launchNorm(stream, x, 1, Optional.empty(), norm, out);
  }

  @Override
  public void addNorm(Stream stream, Matrix residual, Matrix y, NormSpec norm, Matrix out) {
    OperandChecks.f32("the residual", residual);
    OperandChecks.sameSize("the residual", residual, "y", y);
    OperandChecks.sameSize("the residual", residual, "out", out);
    OperandChecks.norm(norm, y.columns());
    launchNorm(stream, residual, 1, Optional.of(y), norm, out);
  }

  @Override
  public void headNorm(Stream stream, Matrix x, int heads, NormSpec norm) {
    OperandChecks.heads(heads, x);
    OperandChecks.norm(norm, x.columns() / heads);
    if (norm.bias().isPresent()) {
      throw new IllegalArgumentException("heads get an RMSNorm, which has no bias");
    }
    launchNorm(stream, x, heads, Optional.empty(), norm, x);
  }

  private void launchNorm(
      Stream stream, Matrix x, int heads, Optional<Matrix> y, NormSpec norm, Matrix out) {
    int width = x.columns() / heads;
    Launch launch = new Launch("norm", "norm_rows").matrix(x).integer(heads).integer(width);
    y.ifPresentOrElse(launch::matrix, launch::noMatrix);
    launch
        .vector(Optional.of(norm.weight()))
        .vector(norm.bias())
        .number(norm.epsilon())
        .number(norm.unitOffset() ? 1 : 0)
        .matrix(out);
    launch(stream, (long) x.rows() * heads, width, launch.localFloats(groupItems(width)));
  }

  @Override
  public void activate(Stream stream, Matrix x, Activation activation, boolean gated, Matrix out) {
    OperandChecks.equal("rows of x", x.rows(), "rows of out", out.rows());
    OperandChecks.equal(
        "columns of x",
        x.columns(),
        gated ? "twice the columns of out" : "columns of out",
        gated ? 2L * out.columns() : out.columns());
    if (activation == Activation.CLAMPED_SWIGLU && !gated) {
      throw new IllegalArgumentException("CLAMPED_SWIGLU needs a gate");
    }
    launchRows(
        stream,
        out,
        new Launch("activation", "activate")
            .matrix(x)
            .integer(out.columns())
            .integer(KernelNumbers.of(activation))
            .integer(gated ? 1 : 0)
            .matrix(out));
  }

  @Override
  public void rope(
      Stream stream, Matrix x, int heads, int dimensions, boolean interleaved, Matrix cosSin) {
    OperandChecks.rope(x, heads, dimensions, cosSin);
    launchRows(
        stream,
        x,
        new Launch("rope", "rope")
            .matrix(x)
            .integer(heads)
            .integer(x.columns() / heads)
            .integer(dimensions)
            .integer(interleaved ? 1 : 0)
            .matrix(cosSin));
  }

  @Override
  public void appendKv(
      Stream stream, Matrix keys, Matrix values, RaggedBatch batch, KvBlocks cache) {
    OperandChecks.keysAndValues(keys, values, batch, cache, this);
    launchRows(
        stream,
        keys,
        new Launch("rope", "append_kv")
            .matrix(keys)
            .matrix(values)
            .indices(batch.slots())
            .cache(cache)
            .integer(KernelNumbers.of(cache.format().dtype()))
            .status());
  }

  @Override
  public void rotateAndAppend(
      Stream stream,
      Matrix x,
      int dimensions,
      boolean interleaved,
      Matrix cosSin,
      Matrix values,
      RaggedBatch batch,
      KvBlocks cache) {
    Matrix keys = OperandChecks.keysBehindQueries(x, cache);
    int heads = x.columns() / cache.format().headDim();
    OperandChecks.rope(x, heads, dimensions, cosSin);
    OperandChecks.keysAndValues(keys, values, batch, cache, this);
    launchRows(
        stream,
        x,
        new Launch("rope", "rotate_and_append")
            .matrix(x)
            .integer(heads)
            .integer(cache.format().headDim())
            .integer(dimensions)
            .integer(interleaved ? 1 : 0)
            .matrix(cosSin)
            .matrix(keys)
            .matrix(values)
            .indices(batch.slots())
            .cache(cache)
            .integer(KernelNumbers.of(cache.format().dtype()))
            .status());
  }

  @Override
  public boolean attendsToPrefixesExactly() {
    return true;
  }

  @Override
  public void attention(
      Stream stream,
      Matrix queries,
      KvBlocks cache,
      RaggedBatch batch,
      AttentionSpec spec,
      Matrix out) {
    OperandChecks.attention(queries, cache, batch, spec, out, this);
    attention.attend(stream, queries, cache, batch, spec, out);
  }

  @Override
  public void route(
      Stream stream, Matrix logits, RouterSpec router, Indices experts, Matrix weights) {
    OperandChecks.route(logits, router, experts, weights);
    int perToken = router.expertsPerToken();
    long floats = 3L * logits.columns() + 2L * router.groups() + 2L * perToken + SMALL_GROUP;
    launch(
        stream,
        logits.rows(),
        1,
        new Launch("route", "route")
            .matrix(logits)
            .integer(logits.columns())
            .integer(perToken)
            .integer(KernelNumbers.of(router.scoring()))
            .integer(router.normalise() ? 1 : 0)
            .number(router.scale())
            .integer(router.groups())
            .integer(router.groupsKept())
            .vector(router.correction())
            .indices(experts)
            .matrix(weights)
            .localFloats(floats));
  }

  @Override
  public void combine(
      Stream stream, Matrix y, Indices rows, Matrix weights, boolean accumulate, Matrix out) {
    OperandChecks.combine(y, rows, weights, out);
    launchRows(
        stream,
        out,
        new Launch("rows", "combine")
            .matrix(y)
            .integer(y.rows())
            .integer(y.columns())
            .indices(rows)
            .matrix(weights)
            .integer(weights.columns())
            .integer(accumulate ? 1 : 0)
            .matrix(out)
            .status());
  }

  @Override
  public void largest(
      Stream stream, Matrix x, Matrix largest, Indices columns, Optional<Matrix> sums) {
    OperandChecks.largest(x, largest, columns, sums);
    Launch launch =
        new Launch("largest", "largest")
            .matrix(x)
            .integer(x.columns())
            .integer(launcher.limits().itemsTakeTurns() ? CACHE_LINE_NUMBERS : 1)
            .integer(largest.columns())
            .matrix(largest)
            .indices(columns);
    sums.ifPresentOrElse(launch::matrix, launch::noMatrix);
    launch(stream, x.rows(), x.columns(), launch.localFloats(4L * groupItems(x.columns())));
  }

  /** A work-group per row. */
  private void launchRows(Stream stream, Matrix rows, Launch launch) {
    launch(stream, rows.rows(), rows.columns(), launch);
  }

  private void launch(Stream stream, long groups, int width, Launch launch) {
    if (groups > 0) {
      launcher.launch(stream, launch.groups(groups, 1).items(groupItems(width)));
    }
  }

  /** Few sizes, because some devices compile a kernel anew for each. A power of two. */
  private int groupItems(int width) {
    int wanted = width <= SMALL_GROUP ? SMALL_GROUP : LARGE_GROUP;
    return Math.min(wanted, Integer.highestOneBit(launcher.limits().groupItems()));
  }
}
