package dev.offload.backends.cpu;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.OperandChecks;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RouterSpec;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.List;
import java.util.Optional;

/**
 * The operations on this processor: checks operands on the caller's thread, then enqueues a kernel
 * that shares its work among the workers. Thread-safe; results do not depend on the number of
 * workers.
 */
final class CpuOperations implements Operations {
  private final WorkerPool pool;
  private final MatrixProduct product;
  private final MemoryBudget budget;

  /**
   * @param budget that scratch counts against
   */
  CpuOperations(WorkerPool pool, MatrixProduct product, MemoryBudget budget) {
    this.pool = pool;
    this.product = product;
    this.budget = budget;
  }

  @Override
  public long scratchBytes(OperationSizes sizes) {
    long products = 0;
    for (OperationSizes.Product each : sizes.products()) {
      products = Math.max(products, product.scratchBytes(sizes.weights(), each));
    }
    OperationSizes.Attention attention = sizes.attention();
    AttentionSpec spec = new AttentionSpec(attention.heads(), 1, 0, 0, Optional.empty());
    AttentionShape shape =
        AttentionShape.of(spec, KvBlockLayout.of(attention.cache()), attention.rows());
    return products + AttentionKernel.scratchBytes(shape, pool.threads());
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return product.packedBytes(dtype, outputs, inputs);
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return product.packs(dtype, outputs, inputs);
  }

  @Override
  public DType matrixInput(DType weights) {
    return product.input(weights);
  }

  @Override
  public void pack(Stream stream, Weight rowMajor, Weight packed) {
    OperandChecks.equal("outputs", rowMajor.outputs(), "outputs packed", packed.outputs());
    OperandChecks.equal("inputs", rowMajor.inputs(), "inputs packed", packed.inputs());
    if (rowMajor.dtype() != packed.dtype() || rowMajor.packed() || !packed.packed()) {
      throw new IllegalArgumentException(
          "packs a row-major weight into a packed one of its format, not %s (packed %b) into %s (packed %b)"
              .formatted(rowMajor.dtype(), rowMajor.packed(), packed.dtype(), packed.packed()));
    }
    checkWeight(rowMajor);
    checkWeight(packed);
    submit(stream, () -> product.pack(rowMajor, packed));
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
    List<WeightRows> all = List.of(new WeightRows(weight, 0, x.rows()));
    List<Vector> biases = bias.map(List::of).orElse(List.of());
    submit(stream, () -> product.multiply(x, all, biases, accumulate, out));
  }

  @Override
  public void groupedMatmul(
      Stream stream, Matrix x, List<WeightRows> groups, List<Vector> biases, Matrix out) {
    if (groups.isEmpty()) {
      return;
    }
    List<WeightRows> groupsNow = List.copyOf(groups);
    List<Vector> biasesNow = List.copyOf(biases);
    OperandChecks.groups(x, groupsNow, biasesNow, out);
    groupsNow.forEach(group -> checkWeight(group.weight()));
    submit(stream, () -> product.multiply(x, groupsNow, biasesNow, false, out));
  }

  private void checkWeight(Weight weight) {
    long rowMajorBytes = (long) weight.outputs() * weight.inputs() * weight.dtype().bytes();
    OperandChecks.weight(
        weight,
        weight.packed()
            ? product.packedBytes(weight.dtype(), weight.outputs(), weight.inputs())
            : rowMajorBytes);
  }

  @Override
  public void gatherRows(Stream stream, Matrix table, Indices indices, Matrix out) {
    OperandChecks.equal("number of indices", indices.length(), "rows of out", out.rows());
    OperandChecks.equal("columns of the table", table.columns(), "columns of out", out.columns());
    MatrixRows from = MatrixRows.of(table);
    MatrixRows to = MatrixRows.of(out);
    submit(
        stream,
        () ->
            ElementwiseKernels.gatherRows(
                pool, from, CpuOperands.array(indices, indices.length()), to));
  }

  @Override
  public void convert(Stream stream, Matrix x, Matrix out) {
    OperandChecks.sameSize("x", x, "out", out);
    MatrixRows from = MatrixRows.of(x);
    MatrixRows to = MatrixRows.of(out);
    submit(stream, () -> ElementwiseKernels.convert(pool, from, to));
  }

  @Override
  public void add(Stream stream, Matrix x, Matrix y) {
    OperandChecks.sameSize("x", x, "y", y);
    MatrixRows sum = MatrixRows.of(x);
    MatrixRows addend = MatrixRows.of(y);
    submit(stream, () -> ElementwiseKernels.add(pool, sum, addend));
  }

  @Override
  public void scaleRowsBySigmoid(Stream stream, Matrix x, Matrix gate) {
    OperandChecks.equal("rows of x", x.rows(), "rows of the gate", gate.rows());
    OperandChecks.equal("columns of the gate", gate.columns(), "what they must be", 1);
    MatrixRows rows = MatrixRows.of(x);
    MatrixRows factors = MatrixRows.of(gate);
    submit(stream, () -> ElementwiseKernels.scaleRowsBySigmoid(pool, rows, factors));
  }

  @Override
  public void softCap(Stream stream, Matrix x, float cap) {
    if (!(cap > 0)) {
      throw new IllegalArgumentException("the cap is " + cap + ", must be above 0");
    }
    MatrixRows rows = MatrixRows.of(x);
    submit(stream, () -> ElementwiseKernels.softCap(pool, rows, cap));
  }

  @Override
  public void norm(Stream stream, Matrix x, NormSpec norm, Matrix out) {
    OperandChecks.sameSize("x", x, "out", out);
    OperandChecks.norm(norm, x.columns());
    MatrixRows from = MatrixRows.of(x);
    MatrixRows to = MatrixRows.of(out);
    submit(stream, () -> NormKernels.norm(pool, from, norm, to));
  }

  @Override
  public void addNorm(Stream stream, Matrix residual, Matrix y, NormSpec norm, Matrix out) {
    OperandChecks.f32("the residual", residual);
    OperandChecks.sameSize("the residual", residual, "y", y);
    OperandChecks.sameSize("the residual", residual, "out", out);
    OperandChecks.norm(norm, y.columns());
    MatrixRows sum = MatrixRows.of(residual);
    MatrixRows addend = MatrixRows.of(y);
    MatrixRows to = MatrixRows.of(out);
    submit(stream, () -> NormKernels.addNorm(pool, sum, addend, norm, to));
  }

  @Override
  public void headNorm(Stream stream, Matrix x, int heads, NormSpec norm) {
    OperandChecks.heads(heads, x);
    OperandChecks.norm(norm, x.columns() / heads);
    if (norm.bias().isPresent()) {
      throw new IllegalArgumentException("heads get an RMSNorm, which has no bias");
    }
    MatrixRows rows = MatrixRows.of(x);
    submit(stream, () -> NormKernels.headNorm(pool, rows, heads, norm));
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
    MatrixRows from = MatrixRows.of(x);
    MatrixRows to = MatrixRows.of(out);
    submit(stream, () -> ActivationKernel.activate(pool, from, activation, gated, to));
  }

  @Override
  public void rope(
      Stream stream, Matrix x, int heads, int dimensions, boolean interleaved, Matrix cosSin) {
    OperandChecks.rope(x, heads, dimensions, cosSin);
    MatrixRows rows = MatrixRows.of(x);
    MatrixRows factors = MatrixRows.of(cosSin);
    submit(stream, () -> RopeKernel.rope(pool, rows, heads, dimensions, interleaved, factors));
  }

  @Override
  public long kvBlockBytes(KvBlocks.Format format) {
    return KvBlockLayout.of(format).blockBytes();
  }

  @Override
  public int kvBlockTokens() {
    return KvBlockLayout.BEST_BLOCK_TOKENS;
  }

  @Override
  public void appendKv(
      Stream stream, Matrix keys, Matrix values, RaggedBatch batch, KvBlocks cache) {
    OperandChecks.keysAndValues(keys, values, batch, cache, this);
    MatrixRows keyRows = MatrixRows.of(keys);
    MatrixRows valueRows = MatrixRows.of(values);
    KvCache blocks = KvCache.of(cache);
    submit(
        stream,
        () ->
            KvAppendKernel.append(
                pool,
                keyRows,
                valueRows,
                CpuOperands.array(batch.slots(), batch.tokens()),
                blocks));
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
      AttentionSpec attention,
      Matrix out) {
    OperandChecks.attention(queries, cache, batch, attention, out, this);
    MatrixRows from = MatrixRows.of(queries);
    MatrixRows to = MatrixRows.of(out);
    KvCache blocks = KvCache.of(cache);
    submit(
        stream,
        () -> {
          KvBlockLayout layout = blocks.layout();
          SequenceTable table = SequenceTable.read(batch, layout.blockTokens());
          AttentionShape shape = AttentionShape.of(attention, layout, table.mostRows());
          long scratch = AttentionKernel.scratchBytes(shape, pool.threads());
          budget.claim("scratch of attention", scratch);
          try {
            new AttentionKernel(pool, shape, from, blocks, table, to).run();
          } finally {
            budget.release(scratch);
          }
        });
  }

  @Override
  public void route(
      Stream stream, Matrix logits, RouterSpec router, Indices experts, Matrix weights) {
    OperandChecks.route(logits, router, experts, weights);
    MatrixRows from = MatrixRows.of(logits);
    MatrixRows to = MatrixRows.of(weights);
    CpuBuffer.segment(experts.buffer());
    submit(stream, () -> RouteKernel.route(pool, from, router, experts, to));
  }

  @Override
  public void combine(
      Stream stream, Matrix y, Indices rows, Matrix weights, boolean accumulate, Matrix out) {
    OperandChecks.combine(y, rows, weights, out);
    MatrixRows from = MatrixRows.of(y);
    MatrixRows factors = MatrixRows.of(weights);
    MatrixRows to = MatrixRows.of(out);
    submit(
        stream,
        () ->
            ElementwiseKernels.combine(
                pool, from, CpuOperands.array(rows, rows.length()), factors, accumulate, to));
  }

  @Override
  public void largest(
      Stream stream, Matrix x, Matrix largest, Indices columns, Optional<Matrix> sums) {
    OperandChecks.largest(x, largest, columns, sums);
    MatrixRows from = MatrixRows.of(x);
    MatrixRows to = MatrixRows.of(largest);
    Optional<MatrixRows> toSums = sums.map(MatrixRows::of);
    CpuBuffer.segment(columns.buffer());
    submit(stream, () -> LargestKernel.find(pool, from, to, columns, toSums));
  }

  private static void submit(Stream stream, Runnable kernel) {
    CpuStream.of(stream).submit(kernel);
  }
}
