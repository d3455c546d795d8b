package dev.offload.backends.cuda;

/** What calls of native functions have in common. */
final class NativeCalls {
  private NativeCalls() {}

  /** What a method handle threw, as something that need not be declared. */
  static RuntimeException unchecked(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> throw new AssertionError("a native function threw", e);
    };
  }
}
