package dev.offload.backends.opencl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.kernels.KernelOperations;
import dev.offload.backends.kernels.ProductLibrary;
import dev.offload.tensors.DType;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is done around a library of products, with the portable kernel as that library. */
final class LibraryProductsTest {
  private static final int ROWS = 5;
  private static final int INPUTS = 32;
  private static final int OUTPUTS = 40;

  /** Products without a bias by the kernel. */
  private record KernelLibrary(Operations kernel) implements ProductLibrary {
    @Override
    public boolean multiplies(DType x, DType weight, DType out) {
      return x == weight;
    }

    @Override
    public void multiply(Stream stream, Matrix x, Weight weight, boolean accumulate, Matrix out) {
      kernel.matmul(stream, x, weight, Optional.empty(), accumulate, out);
    }
  }

  /**
   * Bias and product in F32, then one rounding: as the kernel alone, but for the order of a sum.
   */
  @Test
  void shouldGiveWhatTheKernelGives() {
    try (OpenClContext context = OpenClContext.open(OpenClOrSkip.firstDevice());
        OpenClDevice device =
            new OpenClDevice(context, false, new DeviceOptions(0, 1 << 27, 1 << 20, 1), true);
        Stream stream = device.newStream("test");
        DeviceBuffer memory = device.allocate("operands", 1 << 17);
        PinnedBuffer host = device.allocatePinned("operands", 1 << 17)) {
      for (int i = 0; i < 8192; i++) {
        host.segment().setAtIndex(JAVA_FLOAT, i, (float) Math.sin(i));
      }
      stream.copyToDevice(host, 0, memory, 0, 1 << 17);
      Operations kernel = new KernelOperations(device);
      Operations library = new KernelOperations(device, Optional.of(new KernelLibrary(kernel)));
      Matrix x = new Matrix(memory, 0, DType.F32, ROWS, INPUTS, INPUTS + 3);
      Weight weight = new Weight(memory, 4096, DType.F32, OUTPUTS, INPUTS, false);
      Optional<Vector> bias = Optional.of(new Vector(memory, 16384, OUTPUTS));
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        for (boolean accumulate : new boolean[] {false, true}) {
          if (accumulate && dtype != DType.F32) {
            continue; // sums are F32
          }
          Matrix one = new Matrix(memory, 32768, dtype, ROWS, OUTPUTS, OUTPUTS + 1);
          Matrix two = new Matrix(memory, 65536, dtype, ROWS, OUTPUTS, OUTPUTS + 1);
          stream.copyToDevice(host, 0, memory, 32768, 8192);
          stream.copyToDevice(host, 0, memory, 65536, 8192);
          kernel.matmul(stream, x, weight, bias, accumulate, one);
          library.matmul(stream, x, weight, bias, accumulate, two);
          try (PinnedBuffer results = device.allocatePinned("results", 1 << 17)) {
            stream.copyToHost(memory, 0, results, 0, 1 << 17);
            stream.synchronize();
            compare(results, one, two);
          }
        }
      }
    }
  }

  private static void compare(PinnedBuffer results, Matrix one, Matrix two) {
    double step = one.dtype() == DType.F32 ? 1e-6 : 0.01;
    double sizes = 0;
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < OUTPUTS; column++) {
        double expected = read(results, one, row, column);
        sizes += Math.abs(expected);
        assertEquals(expected, read(results, two, row, column), step * (1 + Math.abs(expected)));
      }
    }
    assertTrue(sizes > ROWS * OUTPUTS / 4.0, "the products are not zero");
  }

  private static double read(PinnedBuffer results, Matrix matrix, int row, int column) {
    long at = matrix.offset() + ((long) row * matrix.rowStride() + column) * matrix.dtype().bytes();
    return matrix.dtype() == DType.F32
        ? results.segment().get(JAVA_FLOAT, at)
        : Float.intBitsToFloat(results.segment().get(JAVA_SHORT, at) << 16);
  }
}
