package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.List;

/** A product in plain loops, so that other operations are tested without any of the fast ones. */
final class ScalarMatrixProduct implements MatrixProduct {

  @Override
  public String describe() {
    return "plain loops";
  }

  @Override
  public DType input(DType weights) {
    return DType.F32;
  }

  @Override
  public long packedBytes(DType dtype, int outputs, int inputs) {
    return (long) outputs * inputs * dtype.bytes();
  }

  @Override
  public boolean packs(DType dtype, int outputs, int inputs) {
    return false;
  }

  @Override
  public long scratchBytes(DType weights, OperationSizes.Product largest) {
    return 0;
  }

  @Override
  public void dropScratch() {}

  @Override
  public void pack(Weight rowMajor, Weight packed) {
    throw new AssertionError("packs nothing");
  }

  @Override
  public void multiply(
      Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
    for (int g = 0; g < groups.size(); g++) {
      float[] bias =
          biases.isEmpty()
              ? new float[Lanes.padded(out.columns())]
              : CpuOperands.array(biases.get(g));
      multiply(MatrixRows.of(x), groups.get(g), bias, accumulate, MatrixRows.of(out));
    }
  }

  private static void multiply(
      MatrixRows x, WeightRows group, float[] bias, boolean accumulate, MatrixRows out) {
    MatrixRows weight =
        MatrixRows.of(
            Matrix.dense(
                group.weight().buffer(),
                group.weight().offset(),
                group.weight().dtype(),
                group.weight().outputs(),
                group.weight().inputs()));
    float[] row = new float[x.columns()];
    float[] factors = new float[x.columns()];
    float[] result = new float[out.columns()];
    for (int i = group.firstRow(); i < group.firstRow() + group.rows(); i++) {
      x.load(i, row);
      out.load(i, result);
      for (int n = 0; n < result.length; n++) {
        weight.load(n, factors);
        double sum = bias[n] + (accumulate ? result[n] : 0);
        for (int k = 0; k < row.length; k++) {
          sum += (double) row[k] * factors[k];
        }
        result[n] = (float) sum;
      }
      out.store(result, i);
    }
  }

  @Override
  public void close() {}
}
