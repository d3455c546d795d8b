package dev.offload.backends.cpu;

import java.io.IOException;
import org.junit.jupiter.api.Assumptions;

/** oneDNN for tests. */
final class OpenDnnl {
  private OpenDnnl() {}

  /** Opens the library; where there is none for this system the test is skipped. */
  static Dnnl orSkip() {
    try {
      return Dnnl.open(DnnlFiles.userCache());
    } catch (IOException e) {
      Assumptions.assumeTrue(isSupportedSystem(), e.getMessage());
      throw new AssertionError(e);
    }
  }

  private static boolean isSupportedSystem() {
    return System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").equals("amd64");
  }
}
