package dev.offload.engine;

import java.util.List;

/** Closes several things even if one of them fails. */
final class Closing {
  private Closing() {}

  /**
   * Closes all in the given order and then throws the first failure, with the others suppressed.
   */
  static void all(List<? extends AutoCloseable> resources) {
    RuntimeException failure = null;
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        if (failure == null) {
          failure =
              e instanceof RuntimeException unchecked
                  ? unchecked
                  : new IllegalStateException("could not close " + resource, e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
