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

  /** As {@link #orSkip}, where oneDNN multiplies BF16 by BF16. */
  static Dnnl withBf16OrSkip() {
    Dnnl dnnl = orSkip();
    if (!dnnl.hasBf16Products()) {
      dnnl.close();
      Assumptions.abort("oneDNN does not multiply BF16 by BF16 with " + dnnl.instructionSet());
    }
    return dnnl;
  }

  private static boolean isSupportedSystem() {
    return System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").equals("amd64");
  }
}
