package dev.offload.backends.conformance;

import java.time.Duration;

/**
 * A check did not end. Its thread and its device are left as they are, so that further checks on
 * the same device tell nothing.
 */
public final class DeviceHangsError extends AssertionError {
  private static final long serialVersionUID = 1;

  /**
   * @param where its thread is; the stack of this error
   */
  DeviceHangsError(ConformanceCheck check, Duration limit, StackTraceElement[] where) {
    super("%s is not over after %d s; the device hangs".formatted(check, limit.toSeconds()));
    setStackTrace(where);
  }
}
