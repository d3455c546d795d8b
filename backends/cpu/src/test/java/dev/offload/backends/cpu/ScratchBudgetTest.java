package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.OperationSizes.Product;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What products work in is part of the device's budget, and no more than was said. */
class ScratchBudgetTest {
  private static final int OUTPUTS = 130;
  private static final int THREADS = 3;
  private static final long PLENTY = 1L << 30;

  @ParameterizedTest
  @CsvSource({
    "AUTO, BF16, 1, 1, 300", "AUTO, BF16, 47, 1, 1100", "AUTO, BF16, 301, 1, 90",
    "AUTO, BF16, 400, 9, 300", "AUTO, BF16, 500, 40, 2000", "AUTO, F16, 200, 3, 300",
    "AUTO, F32, 200, 3, 300", "VECTOR, BF16, 200, 3, 300", "VECTOR, F32, 60, 1, 300"
  })
  void shouldStayWithinWhatWasSaid(
      MatrixProductChoice choice, DType dtype, int rows, int groups, int inputs) {
    Product largest = new Product(rows, groups, inputs);
    long operands = run(choice, dtype, largest, PLENTY, List.of()).operands;
    Random random = new Random(rows + groups);
    List<Product> products = new ArrayList<>(List.of(largest));
    for (int i = 0; i < 6; i++) {
      int fewer = 1 + random.nextInt(groups);
      products.add(new Product(fewer + random.nextInt(rows - fewer + 1), fewer, inputs));
    }
    Measured free = run(choice, dtype, largest, PLENTY, products);
    long scratch = free.peak - operands;
    assertTrue(scratch <= free.declared, scratch + " bytes, said " + free.declared);
    Measured exact = run(choice, dtype, largest, operands + free.declared, products);
    assertTrue(exact.peak <= operands + free.declared, exact.toString());
    if (scratch > 0) {
      assertThrows(
          IllegalStateException.class,
          () -> run(choice, dtype, largest, operands, products),
          "a device with no room beside the operands");
    }
  }

  /**
   * Bytes of a device.
   *
   * @param operands allocated
   * @param peak of all that was counted
   * @param declared scratch
   */
  private record Measured(long operands, long peak, long declared) {}

  private static Measured run(
      MatrixProductChoice choice,
      DType dtype,
      Product largest,
      long budget,
      List<Product> products) {
    DeviceOptions options = new DeviceOptions(0, budget, 0, THREADS);
    try (Device device = new CpuBackend(choice).open(options)) {
      Measured measured = run(device, dtype, largest, products);
      assertEquals(0, device.allocatedBytes(), "scratch is given back with the last stream");
      return measured;
    }
  }

  private static Measured run(Device device, DType dtype, Product largest, List<Product> products) {
    try (Stream stream = device.newStream("test")) {
      Operations operations = device.operations();
      int inputs = largest.inputs();
      DType input = operations.matrixInput(dtype);
      long weightBytes = operations.packedBytes(dtype, OUTPUTS, inputs);
      try (DeviceBuffer weights = device.allocate("weights", weightBytes);
          DeviceBuffer x = device.allocate("rows", (long) largest.rows() * inputs * input.bytes());
          DeviceBuffer out = device.allocate("products", 4L * largest.rows() * OUTPUTS)) {
        Weight weight = new Weight(weights, 0, dtype, OUTPUTS, inputs, true);
        long operands = device.allocatedBytes();
        for (Product each : products) {
          operations.groupedMatmul(
              stream,
              Matrix.dense(x, 0, input, each.rows(), inputs),
              groups(weight, each),
              List.of(),
              Matrix.dense(out, 0, DType.F32, each.rows(), OUTPUTS));
        }
        stream.synchronize();
        long peak = device.peakBytes();
        KvBlocks.Format cache = new KvBlocks.Format(DType.F32, 8, 1, 8, 8);
        long withAttention = operations.scratchBytes(sizes(dtype, List.of(largest), cache));
        long attention = operations.scratchBytes(sizes(dtype, List.of(), cache));
        return new Measured(operands, peak, withAttention - attention);
      }
    }
  }

  private static OperationSizes sizes(DType dtype, List<Product> products, KvBlocks.Format cache) {
    return new OperationSizes(dtype, products, new OperationSizes.Attention(1, 1, cache));
  }

  private static List<WeightRows> groups(Weight weight, Product product) {
    List<WeightRows> groups = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < product.groups(); i++) {
      int end = (int) ((long) product.rows() * (i + 1) / product.groups());
      groups.add(new WeightRows(weight, first, end - first));
      first = end;
    }
    assertEquals(product.rows(), first);
    return groups;
  }
}
