package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

class OneDnnCheckTest {

  @Test
  void shouldPassARightProduct() throws IOException {
    try (WorkerPool workers = new WorkerPool(1);
        MatrixProduct product =
            new PanelMatrixProduct(
                new VectorKernels("a test", Plenty.budget()), workers, Plenty.budget())) {
      OneDnnCheck.run(product);
    }
  }

  @Test
  void shouldNameTheFormatOfAWrongProduct() {
    try (WorkerPool workers = new WorkerPool(1);
        MatrixProduct right =
            new PanelMatrixProduct(
                new VectorKernels("a test", Plenty.budget()), workers, Plenty.budget())) {
      IOException refusal =
          assertThrows(IOException.class, () -> OneDnnCheck.run(new WrongProduct(right)));
      assertTrue(refusal.getMessage().contains("BF16"), refusal.getMessage());
    }
  }

  /** Off by one in the first number for BF16 weights. */
  private record WrongProduct(MatrixProduct right) implements MatrixProduct {
    @Override
    public String describe() {
      return "wrong";
    }

    @Override
    public DType input(DType weights) {
      return right.input(weights);
    }

    @Override
    public long packedBytes(DType dtype, int outputs, int inputs) {
      return right.packedBytes(dtype, outputs, inputs);
    }

    @Override
    public boolean packs(DType dtype, int outputs, int inputs) {
      return right.packs(dtype, outputs, inputs);
    }

    @Override
    public long scratchBytes(DType weights, OperationSizes.Product largest) {
      return right.scratchBytes(weights, largest);
    }

    @Override
    public void dropScratch() {}

    @Override
    public void pack(Weight rowMajor, Weight packed) {
      right.pack(rowMajor, packed);
    }

    @Override
    public void multiply(
        Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
      right.multiply(x, groups, biases, accumulate, out);
      if (groups.getFirst().weight().dtype() == DType.BF16) {
        float first = CpuBuffer.segment(out.buffer()).get(ValueLayout.JAVA_FLOAT, out.offset());
        CpuBuffer.segment(out.buffer()).set(ValueLayout.JAVA_FLOAT, out.offset(), first + 1);
      }
    }

    @Override
    public void close() {}
  }
}
