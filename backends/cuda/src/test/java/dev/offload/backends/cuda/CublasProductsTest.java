package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CublasProductsTest {
  @TempDir Path cache;
  private final FakeDriver driver = new FakeDriver();
  private final FakeBlas blas = new FakeBlas();
  private CudaDevice device;
  private Stream stream;
  private DeviceBuffer memory;

  /** Writes products down. */
  private static final class FakeBlas implements Blas {
    final List<Product> products = new ArrayList<>();
    final List<Place> places = new ArrayList<>();
    boolean closed;

    @Override
    public String version() {
      return "cuBLAS 13.0.2";
    }

    @Override
    public void multiply(Place queue, Product product) {
      places.add(queue);
      products.add(product);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @BeforeEach
  void open() {
    device =
        new CudaDevice(
            FakeContext.open(driver, Optional.of(blas), cache),
            true,
            FakeContext.options(FakeContext.BUDGET));
    stream = device.newStream("stream");
    memory = device.allocate("operands", 1 << 19);
    driver.calls.clear();
  }

  @AfterEach
  void close() {
    memory.close();
    stream.close();
    device.close();
    assertTrue(blas.closed);
    assertEquals(List.of(), driver.left());
  }

  private long at(long offset) {
    return CudaBuffer.of(memory).address() + offset;
  }

  private List<String> launches() {
    return driver.calls.stream()
        .filter(call -> call.startsWith("launch"))
        .map(call -> call.split(" ", -1)[1])
        .toList();
  }

  private void multiply(
      DType x, DType weight, DType out, Optional<Vector> bias, boolean accumulate) {
    Matrix left = new Matrix(memory, 64, x, 5, 16, 40).columns(2, 12);
    Weight right = new Weight(memory, 4096, weight, 7, 12, false);
    Matrix result = new Matrix(memory, 8192, out, 5, 7, 9);
    device.operations().matmul(stream, left, right, bias, accumulate, result);
  }

  @Test
  void shouldTellSizesStridesAndFormats() {
    multiply(DType.BF16, DType.BF16, DType.F32, Optional.empty(), true);
    assertEquals(
        List.of(new Blas.Product(5, 7, 12, 14, at(64 + 2 * 2), 40, at(4096), true, 0, at(8192), 9)),
        blas.products);
    assertEquals(List.of(), launches());
    multiply(DType.F16, DType.F16, DType.F16, Optional.empty(), false);
    Blas.Product narrow = blas.products.getLast();
    assertEquals(2, narrow.inputType());
    assertEquals(2, narrow.outType());
    assertEquals(false, narrow.accumulate());
  }

  @Test
  void shouldAddToTheBias() {
    Optional<Vector> bias = Optional.of(new Vector(memory, 0, 7));
    multiply(DType.BF16, DType.BF16, DType.F32, bias, false);
    assertEquals(List.of("set_rows"), launches());
    assertTrue(blas.products.getFirst().accumulate());
    assertEquals(at(8192), blas.products.getFirst().out());
  }

  /** The bias is added before the one rounding. */
  @Test
  void shouldAddTheBiasOfNarrowResultsInScratch() {
    Optional<Vector> bias = Optional.of(new Vector(memory, 0, 7));
    multiply(DType.BF16, DType.BF16, DType.BF16, bias, false);
    assertEquals(List.of("set_rows", "convert"), launches());
    Blas.Product product = blas.products.getFirst();
    assertEquals(0, product.outType());
    assertEquals(CudaBuffer.of(device.scratch(stream)).address(), product.out());
    assertEquals(7, product.outStride());
  }

  @Test
  void shouldLeaveMixedFormatsToTheKernel() {
    multiply(DType.F32, DType.BF16, DType.F32, Optional.empty(), false);
    multiply(DType.BF16, DType.BF16, DType.F16, Optional.empty(), false);
    assertEquals(List.of("matmul", "matmul"), launches());
    assertEquals(List.of(), blas.products);
  }

  @Test
  void shouldGiveEveryStreamItsOwnMemoryForPartialSums() {
    multiply(DType.F32, DType.F32, DType.F32, Optional.empty(), false);
    try (Stream other = device.newStream("other")) {
      device
          .operations()
          .matmul(
              other,
              Matrix.dense(memory, 0, DType.F32, 1, 4),
              new Weight(memory, 64, DType.F32, 2, 4, false),
              Optional.empty(),
              false,
              Matrix.dense(memory, 256, DType.F32, 1, 2));
    }
    Blas.Place first = blas.places.getFirst();
    Blas.Place second = blas.places.getLast();
    assertNotEquals(first.stream(), second.stream());
    assertTrue(Math.abs(first.workspace() - second.workspace()) >= first.workspaceBytes());
    assertEquals(0, first.workspace() % 256);
  }
}
