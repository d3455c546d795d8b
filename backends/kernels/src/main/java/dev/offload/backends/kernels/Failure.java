package dev.offload.backends.kernels;

/** What a kernel found wrong with numbers in device memory; see {@code fail} in numbers.h. */
public final class Failure {

  /** Integers of the status that kernels write: which failure, then three details. */
  public static final int STATUS_INTS = 4;

  private Failure() {}

  /**
   * The status in words.
   *
   * @param failure first integer, not 0
   */
  public static String describe(int failure, int a, int b, int c) {
    return switch (failure) {
      case 1 -> "row %d of %d is asked for, at place %d of the indices".formatted(a, b, c);
      case 2 -> "block %d of a cache of %d is asked for, by sequence or row %d".formatted(a, b, c);
      case 3 -> "rows of a batch of %3$d tokens go from %1$d to %2$d".formatted(a, b, c);
      case 4 ->
          "sequence %d has %d rows and a context of %d tokens, which the batch does not allow"
              .formatted(a, b, c);
      case 5 -> "sequences %d and %d do not begin with the same %d blocks".formatted(a, b, c);
      case 6 ->
          "sequence %d has a row at position %d, before the end of %d shared tokens"
              .formatted(a, b, c);
      default -> "a kernel failed with %d (%d, %d, %d)".formatted(failure, a, b, c);
    };
  }
}
