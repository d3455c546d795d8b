package dev.offload.backends.conformance.junit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import dev.offload.backends.conformance.DeviceUnderTest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The contract that every device keeps, a test for each check: a backend subclasses this once for
 * each way to open a device. {@code -Dchecks=Attention} runs only the checks whose topic or name
 * contains that.
 */
public abstract class DeviceConformance implements DeviceUnderTest {
  private static final String WANTED = System.getProperty("checks", "");

  @TestFactory
  final Stream<DynamicTest> contract() {
    List<ConformanceCheck> checks =
        ConformanceSuite.of(this).stream()
            .filter(check -> check.toString().contains(WANTED))
            .toList();
    assertFalse(checks.isEmpty(), "no check is called " + WANTED);
    return checks.stream().map(check -> dynamicTest(check.toString(), check::run));
  }
}
