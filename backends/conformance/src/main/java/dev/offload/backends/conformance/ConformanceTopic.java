package dev.offload.backends.conformance;

import dev.offload.backends.api.DeviceOptions;
import dev.offload.tensors.DType;
import java.util.function.Consumer;

/** Checks about one matter, and how they are run on fresh devices. */
interface ConformanceTopic extends DeviceUnderTest {
  long MEMORY_BYTES = 256L << 20;

  default DeviceOptions options() {
    return new DeviceOptions(0, MEMORY_BYTES, MEMORY_BYTES, threads());
  }

  /** Runs a check on a fresh device, several times with other random numbers. */
  default void repeat(int times, Consumer<DeviceFixture> check) {
    for (int seed = 0; seed < times; seed++) {
      try (DeviceFixture fixture = new DeviceFixture(open(options()), seed)) {
        check.accept(fixture);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("with seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** Runs a check for every pair of formats, so often that sizes vary. */
  default void repeatForPairs(PairCheck check) {
    for (DType first : DType.values()) {
      for (DType second : DType.values()) {
        repeat(4, fixture -> check.run(fixture, first, second));
      }
    }
  }

  /** A check with two formats. */
  @FunctionalInterface
  interface PairCheck {
    void run(DeviceFixture fixture, DType first, DType second);
  }
}
