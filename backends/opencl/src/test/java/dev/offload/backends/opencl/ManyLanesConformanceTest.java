package dev.offload.backends.opencl;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The contract of attention with work divided as on a graphics processor, wherever it runs: what
 * work-items of a group do for each other there is proved here.
 */
final class ManyLanesConformanceTest {
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

  @TestFactory
  Stream<DynamicTest> shouldAttend() {
    Limits device = context.device().limits();
    Limits limits =
        new Limits(
            device.groupItems(),
            Math.min(device.localBytes(), 48 << 10),
            false,
            device.computeUnits(),
            false);
    List<ConformanceCheck> checks =
        ConformanceSuite.of(options -> new OpenClDevice(context, false, options, true, limits))
            .stream()
            .filter(check -> check.topic().equals("Attention"))
            .toList();
    assertFalse(checks.isEmpty());
    return checks.stream().map(check -> DynamicTest.dynamicTest(check.name(), check::run));
  }
}
