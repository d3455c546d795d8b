package dev.offload.backends.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Operations that treat every number of a matrix on its own, or every row by one factor. */
final class ElementwiseKernels {
  private ElementwiseKernels() {}

  static void convert(WorkerPool pool, MatrixRows x, MatrixRows out) {
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] row = RowLoop.scratch(x.columns());
          for (int i = first; i < end; i++) {
            x.load(i, row);
            out.store(row, i);
          }
        });
  }

  /**
   * @throws IndexOutOfBoundsException if an index is not a row of the table
   */
  static void gatherRows(WorkerPool pool, MatrixRows table, int[] indices, MatrixRows out) {
    RowLoop.run(
        pool,
        indices.length,
        table.columns(),
        (first, end) -> {
          float[] row = RowLoop.scratch(table.columns());
          for (int i = first; i < end; i++) {
            table.load(requireRow(indices[i], table.rows()), row);
            out.store(row, i);
          }
        });
  }

  static void add(WorkerPool pool, MatrixRows x, MatrixRows y) {
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] a = RowLoop.scratch(x.columns());
          float[] b = RowLoop.scratch(x.columns());
          for (int i = first; i < end; i++) {
            x.load(i, a);
            y.load(i, b);
            add(a, b);
            x.store(a, i);
          }
        });
  }

  static void softCap(WorkerPool pool, MatrixRows x, float cap) {
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] row = RowLoop.scratch(x.columns());
          float[] scratch = RowLoop.scratch(x.columns());
          for (int i = first; i < end; i++) {
            x.load(i, row);
            softCap(row, 0, row.length, cap, scratch);
            x.store(row, i);
          }
        });
  }

  static void scaleRowsBySigmoid(WorkerPool pool, MatrixRows x, MatrixRows gate) {
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          float[] row = RowLoop.scratch(x.columns());
          float[] factor = RowLoop.scratch(1);
          for (int i = first; i < end; i++) {
            x.load(i, row);
            gate.load(i, factor);
            VectorMath.sigmoid(factor, 0, factor.length);
            scale(row, factor[0]);
            x.store(row, i);
          }
        });
  }

  /**
   * @throws IndexOutOfBoundsException if one of {@code rows} is not a row of {@code y}
   */
  static void combine(
      WorkerPool pool,
      MatrixRows y,
      int[] rows,
      MatrixRows weights,
      boolean accumulate,
      MatrixRows out) {
    int perToken = weights.columns();
    RowLoop.run(
        pool,
        out.rows(),
        out.columns() * perToken,
        (first, end) -> {
          float[] sum = RowLoop.scratch(out.columns());
          float[] row = RowLoop.scratch(out.columns());
          float[] weight = RowLoop.scratch(perToken);
          for (int i = first; i < end; i++) {
            weights.load(i, weight);
            start(out, i, accumulate, sum);
            for (int j = 0; j < perToken; j++) {
              y.load(requireRow(rows[i * perToken + j], y.rows()), row);
              addScaled(sum, row, weight[j]);
            }
            out.store(sum, i);
          }
        });
  }

  private static void start(MatrixRows out, int row, boolean accumulate, float[] sum) {
    if (accumulate) {
      out.load(row, sum);
    } else {
      Arrays.fill(sum, 0);
    }
  }

  /** {@code a += b}. */
  static void add(float[] a, float[] b) {
    for (int i = 0; i < a.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, a, i)
          .add(FloatVector.fromArray(Lanes.FLOATS, b, i))
          .intoArray(a, i);
    }
  }

  /** {@code x = cap * tanh(x / cap)} of {@code count} numbers, a multiple of the vector length. */
  static void softCap(float[] x, int at, int count, float cap, float[] scratch) {
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).div(cap).intoArray(x, i);
    }
    VectorMath.tanh(x, at, count, scratch);
    for (int i = at; i < at + count; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).mul(cap).intoArray(x, i);
    }
  }

  private static void scale(float[] x, float factor) {
    for (int i = 0; i < x.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).mul(factor).intoArray(x, i);
    }
  }

  private static void addScaled(float[] sum, float[] x, float weight) {
    FloatVector factor = FloatVector.broadcast(Lanes.FLOATS, weight);
    for (int i = 0; i < sum.length; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i)
          .fma(factor, FloatVector.fromArray(Lanes.FLOATS, sum, i))
          .intoArray(sum, i);
    }
  }

  private static int requireRow(int row, int rows) {
    if (row < 0 || row >= rows) {
      throw new IndexOutOfBoundsException("row %d of a matrix of %d rows".formatted(row, rows));
    }
    return row;
  }
}
