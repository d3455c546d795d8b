package dev.offload.backends.cuda;

import java.lang.System.Logger.Level;

/** Releases of things of the driver, which must not stop the releases behind them. */
final class Releases {
  private static final System.Logger LOGGER = System.getLogger(Releases.class.getName());

  private Releases() {}

  /**
   * Runs a release. If the driver refuses, which it does for everything once a device is lost, the
   * process has lost the memory until it ends, and a line says so.
   */
  static void run(String what, Runnable release) {
    try {
      release.run();
    } catch (CudaException e) {
      LOGGER.log(e.isSticky() ? Level.DEBUG : Level.WARNING, "{0}: {1}", what, e.getMessage());
    }
  }
}
