package dev.offload.jobs;

import dev.offload.planner.hardware.MachineFacts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/** What the operating system says about the machine this runs on. */
final class ThisMachine {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private ThisMachine() {}

  /**
   * The facts.
   *
   * @param threads that compute
   * @param temporary folder on the disk for files; the nearest that exists counts
   */
  static MachineFacts facts(int threads, Path temporary) throws IOException {
    return new MachineFacts(
        hostName(),
        processor(),
        threads,
        BudgetOptions.machineMemory(),
        freeBytes(temporary.toAbsolutePath()));
  }

  /**
   * The file in which a profile of such a machine is kept: of another machine it has another name.
   */
  static String profileFile(MachineFacts facts, String backend) {
    CRC32 checksum = new CRC32();
    String text =
        "%s|%d|%d|%s"
            .formatted(facts.processor(), facts.cores(), facts.memoryBytes() >> 30, backend);
    checksum.update(text.getBytes(StandardCharsets.UTF_8));
    return "profile-%08x.json".formatted(checksum.getValue());
  }

  private static String hostName() throws IOException {
    if (Files.isReadable(HOST_NAME)) { // asking for an address may wait for the network
      return Files.readString(HOST_NAME).strip().toLowerCase(Locale.ROOT);
    }
    try {
      return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
    } catch (UnknownHostException e) {
      return "this machine"; // a name for reports; nothing depends on it
    }
  }

  private static String processor() throws IOException {
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
    }
  }

  private static long freeBytes(Path folder) throws IOException {
    Path existing = folder;
    while (!Files.isDirectory(existing)) {
      existing = existing.getParent();
    }
    return Files.getFileStore(existing).getUsableSpace();
  }
}
