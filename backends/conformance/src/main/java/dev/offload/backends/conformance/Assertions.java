package dev.offload.backends.conformance;

import java.util.Arrays;
import java.util.function.Supplier;

/** What checks say about what they found; numbers are equal if their bits are. */
final class Assertions {
  private Assertions() {}

  static void fail(String message) {
    throw new AssertionError(message);
  }

  static void assertTrue(boolean holds) {
    if (!holds) {
      fail("is not so");
    }
  }

  static void assertTrue(boolean holds, Supplier<String> message) {
    if (!holds) {
      fail(message.get());
    }
  }

  static void assertEquals(long want, long got) {
    assertEquals(want, got, "number");
  }

  static void assertEquals(long want, long got, String what) {
    if (want != got) {
      fail("%s is %d, should be %d".formatted(what, got, want));
    }
  }

  static void assertArrayEquals(double[] want, double[] got) {
    if (!Arrays.equals(want, got)) {
      fail(difference(want, got));
    }
  }

  static void assertArrayEquals(double[][] want, double[][] got) {
    assertEquals(want.length, got.length, "number of rows");
    for (int row = 0; row < want.length; row++) {
      if (!Arrays.equals(want[row], got[row])) {
        fail("row " + row + ": " + difference(want[row], got[row]));
      }
    }
  }

  static void assertArrayEquals(int[] want, int[] got, Supplier<String> message) {
    if (!Arrays.equals(want, got)) {
      fail(
          "%s: are %s, should be %s"
              .formatted(message.get(), Arrays.toString(got), Arrays.toString(want)));
    }
  }

  private static String difference(double[] want, double[] got) {
    int at = Arrays.mismatch(want, got);
    return at < Math.min(want.length, got.length)
        ? "number %d is %s, should be %s".formatted(at, got[at], want[at])
        : "are %d numbers, should be %d".formatted(got.length, want.length);
  }

  /** Fails unless the call throws such an exception; returns it. */
  static <T extends Throwable> T assertThrows(Class<T> type, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      if (type.isInstance(e)) {
        return type.cast(e);
      }
      throw new AssertionError("should throw %s, throws %s".formatted(type.getSimpleName(), e), e);
    }
    throw new AssertionError("should throw " + type.getSimpleName() + ", throws nothing");
  }
}
