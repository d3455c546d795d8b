package dev.offload.jobs;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether the kernel has a GPU to compute on: asking for the files that stand for one takes
 * microseconds, asking the drivers a good part of a second.
 */
final class GpuNodes {
  private static final Path DEVICES = Path.of("/dev");

  private GpuNodes() {}

  /** False only if there is none for certain. */
  static boolean mayHaveGpu() {
    return !System.getProperty("os.name").equals("Linux") || mayHaveGpu(DEVICES);
  }

  /** Of NVIDIA, of AMD, of Windows beneath Linux, or any that the kernel knows how to render on. */
  static boolean mayHaveGpu(Path devices) {
    return Files.exists(devices.resolve("nvidiactl"))
        || Files.exists(devices.resolve("kfd"))
        || Files.exists(devices.resolve("dxg"))
        || hasAny(devices.resolve("dri"), "renderD*");
  }

  private static boolean hasAny(Path folder, String pattern) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, pattern)) {
      return found.iterator().hasNext();
    } catch (IOException e) {
      return false; // there is no such folder
    }
  }
}
