package dev.offload.jobs;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Whether somebody looks at standard error; Java itself knows of standard input and output only.
 */
final class Terminal {
  private static final int STANDARD_ERROR = 2;

  private Terminal() {}

  /** Asks {@code isatty(2)}, POSIX; false where there is no such function. */
  static boolean showsStandardError() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> function = linker.defaultLookup().find("isatty");
    if (function.isEmpty()) {
      return false;
    }
    MethodHandle isatty =
        linker.downcallHandle(
            function.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      return (int) isatty.invokeExact(STANDARD_ERROR) == 1;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("isatty throws nothing", e);
    }
  }
}
