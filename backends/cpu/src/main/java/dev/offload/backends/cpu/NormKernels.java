package dev.offload.backends.cpu;

import dev.offload.backends.api.NormSpec;
import jdk.incubator.vector.FloatVector;

/** RMSNorm and LayerNorm over rows, and RMSNorm over the heads within rows. */
final class NormKernels {
  private NormKernels() {}

  static void norm(WorkerPool pool, MatrixRows x, NormSpec norm, MatrixRows out) {
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          RowNorm rowNorm = new RowNorm(norm);
          float[] row = RowLoop.scratch(x.columns());
          for (int i = first; i < end; i++) {
            x.load(i, row);
            rowNorm.apply(row);
            out.store(row, i);
          }
        });
  }

  static void addNorm(
      WorkerPool pool, MatrixRows residual, MatrixRows y, NormSpec norm, MatrixRows out) {
    RowLoop.run(
        pool,
        y.rows(),
        y.columns(),
        (first, end) -> {
          RowNorm rowNorm = new RowNorm(norm);
          float[] row = RowLoop.scratch(y.columns());
          float[] addend = RowLoop.scratch(y.columns());
          for (int i = first; i < end; i++) {
            residual.load(i, row);
            y.load(i, addend);
            ElementwiseKernels.add(row, addend);
            residual.store(row, i);
            rowNorm.apply(row);
            out.store(row, i);
          }
        });
  }

  static void headNorm(WorkerPool pool, MatrixRows x, int heads, NormSpec norm) {
    int width = x.columns() / heads;
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          RowNorm rowNorm = new RowNorm(norm);
          float[] head = RowLoop.scratch(width);
          for (int i = first; i < end; i++) {
            for (int h = 0; h < heads; h++) {
              x.load(i, h * width, width, head, 0);
              rowNorm.apply(head);
              x.store(head, 0, i, h * width, width);
            }
          }
        });
  }

  /** The norm of one row in scratch. */
  private static final class RowNorm {
    private final float[] weight;
    private final float[] bias;
    private final int columns;
    private final float epsilon;
    private final float[] lanes = new float[Lanes.COUNT];

    RowNorm(NormSpec norm) {
      columns = norm.weight().length();
      weight = CpuOperands.array(norm.weight());
      bias = norm.bias().map(CpuOperands::array).orElse(null);
      epsilon = norm.epsilon();
      if (norm.unitOffset()) {
        for (int i = 0; i < columns; i++) {
          weight[i] += 1;
        }
      }
    }

    void apply(float[] row) {
      if (bias == null) {
        scale(row);
      } else {
        centre(row);
        scale(row);
        ElementwiseKernels.add(row, bias);
      }
    }

    /** Subtracts the mean; the padding stays zero. */
    private void centre(float[] row) {
      FloatVector sum = FloatVector.zero(Lanes.FLOATS);
      for (int i = 0; i < weight.length; i += Lanes.COUNT) {
        sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, row, i));
      }
      sum.intoArray(lanes, 0);
      float mean = Lanes.sum(lanes, 0) / columns;
      for (int i = 0; i < columns; i++) {
        row[i] -= mean;
      }
    }

    private void scale(float[] row) {
      float factor = (float) (1 / Math.sqrt(sumOfSquares(row) / columns + epsilon));
      for (int i = 0; i < weight.length; i += Lanes.COUNT) {
        FloatVector.fromArray(Lanes.FLOATS, row, i)
            .mul(factor)
            .mul(FloatVector.fromArray(Lanes.FLOATS, weight, i))
            .intoArray(row, i);
      }
    }

    /** Two sums, so that additions need not wait for each other. */
    private float sumOfSquares(float[] row) {
      FloatVector even = FloatVector.zero(Lanes.FLOATS);
      FloatVector odd = FloatVector.zero(Lanes.FLOATS);
      int i = 0;
      for (; i + Lanes.COUNT < weight.length; i += 2 * Lanes.COUNT) {
        FloatVector a = FloatVector.fromArray(Lanes.FLOATS, row, i);
        FloatVector b = FloatVector.fromArray(Lanes.FLOATS, row, i + Lanes.COUNT);
        even = a.fma(a, even);
        odd = b.fma(b, odd);
      }
      if (i < weight.length) {
        FloatVector a = FloatVector.fromArray(Lanes.FLOATS, row, i);
        even = a.fma(a, even);
      }
      even.add(odd).intoArray(lanes, 0);
      return Lanes.sum(lanes, 0);
    }
  }
}
