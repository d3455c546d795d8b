package dev.offload.backends.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the operating system calls the processor. */
final class ProcessorName {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private ProcessorName() {}

  /** The vendor's name where the system tells it, otherwise the architecture. */
  static String read() {
    String architecture = System.getProperty("os.arch");
    if (!Files.isReadable(CPU_INFO)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse(architecture);
    } catch (IOException e) {
      return architecture; // a name for reports; nothing depends on it
    }
  }
}
