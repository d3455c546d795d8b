package dev.offload.jobs;

import dev.offload.engine.EngineModel;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Whether passes read weights on disk through the page cache. Each pass reads all of them, so the
 * cache holds either all or, since it gives up first what was used longest ago, none: where they do
 * not fit the memory that is free beside the budgets, they are read past it, which takes nothing
 * from other programs' files and a fraction of the processor's time.
 */
final class PassReads {
  private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
  private static final String AVAILABLE = "MemAvailable:";

  private PassReads() {}

  /**
   * The model as its plan reads it best.
   *
   * @param cached the same model, read through the page cache
   */
  static EngineModel best(
      EngineModel cached, ModelFolder folder, List<WeightUnit> onDisk, BudgetOptions budgets)
      throws IOException, RefusedException {
    long bytes = onDisk.stream().mapToLong(WeightUnit::bytes).sum();
    long ofDevice = budgets.device().hasOwnMemory() ? 0 : budgets.deviceMemory();
    long taken = ofDevice + budgets.hostMemory();
    return fitsCache(bytes, available(), taken) ? cached : EngineModel.ofDisk(folder);
  }

  /**
   * Whether the page cache can hold what every pass reads.
   *
   * @param available memory of the machine that programs could have now; empty if it does not say
   * @param taken of it by the budgets
   */
  static boolean fitsCache(long bytes, OptionalLong available, long taken) {
    return bytes == 0 || available.isEmpty() || bytes <= available.getAsLong() - taken;
  }

  private static OptionalLong available() throws IOException {
    if (!Files.isReadable(MEMORY_INFO)) {
      return OptionalLong.empty();
    }
    try (Stream<String> lines = Files.lines(MEMORY_INFO)) {
      return parse(lines);
    }
  }

  /** Bytes, from lines as {@code proc_meminfo(5)} describes them. */
  static OptionalLong parse(Stream<String> memoryInfo) {
    return memoryInfo
        .filter(line -> line.startsWith(AVAILABLE))
        .map(line -> line.substring(AVAILABLE.length()).replace("kB", "").strip())
        .mapToLong(kilobytes -> Long.parseLong(kilobytes) << 10)
        .findFirst();
  }
}
