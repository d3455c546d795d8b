package dev.offload.tensors.weights;

import java.io.IOException;
import java.nio.file.OpenOption;

/**
 * Finds the option for reads past the page cache. It is {@code
 * com.sun.nio.file.ExtendedOpenOption.DIRECT}, exported by the module jdk.unsupported, but the
 * compiler warns of every use by name and cannot be told not to.
 */
final class DirectOption {
  private DirectOption() {}

  static OpenOption find() throws IOException {
    try {
      for (Object option :
          Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
        if (option.toString().equals("DIRECT")) {
          return (OpenOption) option;
        }
      }
    } catch (ClassNotFoundException e) {
      throw new IOException("this Java has no reads past the page cache", e);
    }
    throw new IOException("this Java has no reads past the page cache");
  }
}
