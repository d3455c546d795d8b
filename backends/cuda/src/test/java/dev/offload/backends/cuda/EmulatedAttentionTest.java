package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract of attention on a device whose kernels g++ compiled as they are written for CUDA,
 * tensor cores included: where a warp has the numbers of its matrices is as PTX says. Some of the
 * checks; {@code -Dchecks=Attention} runs all, in a minute, and {@code -Dchecks=} what else
 * contains that.
 */
final class EmulatedAttentionTest {
  private static final Pattern WANTED =
      Pattern.compile(
          System.getProperty(
              "checks",
              "Attention.*(Ragged|AnyCompany|OddWidths|BeforeTheWindow)|Rope.*RotateAndAppend"));

  @TempDir static Path cache;
  private static final Set<String> LAUNCHED = new HashSet<>();

  @TestFactory
  Stream<DynamicTest> contract() {
    Optional<Path> compiler = EmulatedKernels.findCompiler();
    Assumptions.assumeTrue(compiler.isPresent(), "no g++ on the PATH");
    EmulatedKernels kernels = new EmulatedKernels(compiler.get(), Path.of("target/emulated"));
    List<ConformanceCheck> checks =
        ConformanceSuite.of(options -> device(kernels, options)).stream()
            .filter(check -> WANTED.matcher(check.toString()).find())
            .toList();
    assertFalse(checks.isEmpty(), "no check is called " + WANTED);
    return checks.stream().map(check -> dynamicTest(check.toString(), check::run));
  }

  private static CudaDevice device(EmulatedKernels kernels, DeviceOptions options) {
    FakeDriver driver = new FakeDriver();
    driver.runner =
        (image, kernel, grid, threads, arguments) -> {
          LAUNCHED.add(kernel);
          kernels.run(image, kernel, grid, threads, arguments);
        };
    CudaContext context =
        new CudaContext(
            driver,
            facts -> new KernelCompiler(kernels, new ProgramCache(cache), facts.architecture()),
            opened -> Optional.empty(),
            true);
    return new CudaDevice(context, true, options);
  }

  @AfterEach
  void shouldHaveUsedBothKernels() {
    assertTrue(
        !LAUNCHED.contains("plan_tiles")
            || LAUNCHED.containsAll(Set.of("attend_span", "attend_span_mma")),
        LAUNCHED::toString);
  }
}
