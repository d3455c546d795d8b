package dev.offload.backends.conformance.junit;

import dev.offload.backends.api.Backend;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Backends for tests that need no particular one. */
public final class UsableBackend {
  private UsableBackend() {}

  /**
   * A backend on the class path. Where it cannot be used the test is skipped with the reason, or
   * fails if the environment has {@code OFFLOAD_OPENCL_REQUIRED}, for a backend {@code opencl}.
   */
  public static Backend orSkip(String name) {
    Backend backend =
        ServiceLoader.load(Backend.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(each -> each.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no backend " + name + " on the class path"));
    Optional<String> reason = backend.unusableReason();
    if (reason.isPresent()) {
      if (System.getenv("OFFLOAD_%s_REQUIRED".formatted(name.toUpperCase(Locale.ROOT))) != null) {
        Assertions.fail(reason.get());
      }
      Assumptions.abort(reason.get());
    }
    return backend;
  }
}
