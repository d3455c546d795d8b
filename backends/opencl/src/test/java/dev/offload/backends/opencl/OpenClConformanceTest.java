package dev.offload.backends.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import dev.offload.backends.conformance.junit.DeviceConformance;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The contract on the first OpenCL device; its programs are built once for all tests. */
final class OpenClConformanceTest extends DeviceConformance {
  private static OpenClContext context;

  @BeforeAll
  static void openContext() {
    context = OpenClContext.open(OpenClOrSkip.firstDevice());
  }

  @AfterAll
  static void closeContext() {
    if (context != null) {
      context.close();
    }
  }

  @Override
  public Device open(DeviceOptions options) {
    return new OpenClDevice(context, false, options, true);
  }

  /** What a GPU does with memory and copies, on a processor too. */
  @TestFactory
  Stream<DynamicTest> shouldKeepMemoryApart() {
    List<ConformanceCheck> checks =
        ConformanceSuite.of(options -> new OpenClDevice(context, false, options, false)).stream()
            .filter(check -> List.of("Memory", "Stream").contains(check.topic()))
            .toList();
    assertEquals(2, checks.stream().map(ConformanceCheck::topic).distinct().count());
    return checks.stream().map(check -> DynamicTest.dynamicTest(check.toString(), check::run));
  }

  /**
   * Work-groups that have all spans of a tile, which they have elsewhere only if there are many.
   */
  @TestFactory
  Stream<DynamicTest> shouldAttendWithoutDividingContexts() {
    Limits device = context.device().limits();
    return checks(
        "Attention", new Limits(device.groupItems(), device.localBytes(), true, 0, false));
  }

  /** By tiles in local memory, as on a GPU. */
  @TestFactory
  Stream<DynamicTest> shouldMultiplyInLocalMemory() {
    Limits device = context.device().limits();
    return checks(
        "Matmul",
        new Limits(
            device.groupItems(),
            device.localBytes(),
            device.itemsTakeTurns(),
            device.computeUnits(),
            true));
  }

  private static Stream<DynamicTest> checks(String topic, Limits limits) {
    List<ConformanceCheck> checks =
        ConformanceSuite.of(options -> new OpenClDevice(context, false, options, true, limits))
            .stream()
            .filter(check -> check.topic().equals(topic))
            .toList();
    assertFalse(checks.isEmpty());
    return checks.stream().map(check -> DynamicTest.dynamicTest(check.name(), check::run));
  }
}
