package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertThrows;
import static dev.offload.backends.conformance.Assertions.assertTrue;

/** Checks that operands that do not fit are refused before anything is enqueued. */
final class Refusals {
  private Refusals() {}

  /** The message must name both sizes. */
  static void expect(String first, String second, Runnable call) {
    IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, call);
    assertTrue(
        refusal.getMessage().contains(first) && refusal.getMessage().contains(second),
        () -> "should name " + first + " and " + second + ": " + refusal.getMessage());
  }
}
