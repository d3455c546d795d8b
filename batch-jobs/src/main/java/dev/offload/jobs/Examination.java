package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import dev.offload.backends.conformance.DeviceHangsError;
import dev.offload.backends.conformance.DeviceUnderTest;
import dev.offload.planner.profile.Effort;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.Profiler;
import dev.offload.planner.profile.Profiling;
import dev.offload.planner.profile.Shapes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What {@code offload doctor} does with one device. */
final class Examination {
  private static final long MIB = 1 << 20;

  /** Three times what is streamed through, and room for operands beside. */
  private static final long MEASURING_BYTES = 512 * MIB;

  /** Enough to see a copy that is not pinned or a product that runs on one core. */
  private static final Effort EFFORT =
      new Effort(
          0.03,
          96 * MIB,
          List.of(MIB, 16 * MIB, 64 * MIB),
          List.of(1, 16, 128),
          256,
          1024,
          0,
          List.of(),
          false);

  private final FoundDevice found;
  private final int threads;
  private final boolean verbose;
  private final PrintWriter out;

  /**
   * @param verbose whether stack traces of failures are printed
   */
  Examination(FoundDevice found, int threads, boolean verbose, PrintWriter out) {
    this.found = found;
    this.threads = threads;
    this.verbose = verbose;
    this.out = out;
  }

  /**
   * Measures and checks.
   *
   * @param wanted part of the names of checks; nothing is measured unless it is empty
   * @return whether all is well
   */
  boolean run(String wanted) throws InterruptedException {
    out.printf("%n%s, %s%n", found.label(), found.description().name());
    boolean measured = !wanted.isEmpty() || measure();
    return passes(wanted) && measured;
  }

  private boolean measure() {
    try (Device device = found.open(MEASURING_BYTES, MEASURING_BYTES, threads);
        Device host = DeviceFinder.processor().open(MEASURING_BYTES, MEASURING_BYTES, threads)) {
      out.printf("%s%n", device.facts().details());
      Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
      String name = ThisMachine.facts(threads, temporary).name();
      Machine machine =
          new Machine(
              name,
              device.facts().name(),
              threads,
              BudgetOptions.machineMemory(),
              Optional.empty());
      Profiling measured =
          new Profiler(
                  device,
                  device.facts().sharesHostMemory() ? device : host,
                  machine,
                  Shapes.usual(),
                  EFFORT,
                  _ -> {})
              .measure();
      new ProfileReport(measured).printRates(out);
      return true;
    } catch (RefusedException | IOException | RuntimeException e) {
      out.printf("measuring failed: %s%n", e);
      Messages.trace(e, verbose, out);
      return false;
    }
  }

  private boolean passes(String wanted) throws InterruptedException {
    List<ConformanceCheck> checks =
        ConformanceSuite.of(new Target()).stream()
            .filter(check -> check.toString().contains(wanted))
            .toList();
    int passed = 0;
    out.printf("%nchecks%n");
    for (ConformanceCheck check : checks) {
      out.printf("  %-55s", check);
      out.flush();
      long begin = System.nanoTime();
      try {
        check.run();
        passed++;
        out.printf(Locale.ROOT, "  ok %7.1f s%n", (System.nanoTime() - begin) / 1e9);
      } catch (DeviceHangsError e) {
        out.printf("  HANGS%n    %s%n", e.getMessage());
        Messages.trace(e, verbose, out);
        break;
      } catch (AssertionError e) {
        out.printf("  FAILED%n    %s%n", e.getMessage());
        Messages.trace(e, verbose, out);
      }
    }
    out.printf("%d of %d checks passed%n", passed, checks.size());
    out.flush();
    return passed == checks.size();
  }

  /** The device, opened for each check as users open it. */
  private final class Target implements DeviceUnderTest {
    @Override
    public Device open(DeviceOptions options) {
      return found
          .backend()
          .open(
              new DeviceOptions(
                  found.description().index(),
                  options.memoryBytes(),
                  options.pinnedBytes(),
                  options.threads()));
    }

    @Override
    public int threads() {
      return threads;
    }
  }
}
