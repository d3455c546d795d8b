package dev.offload.backends.cuda;

import dev.offload.backends.cuda.RuntimeCompiler.CompileException;
import dev.offload.backends.kernels.KernelSource;
import dev.offload.backends.kernels.ProgramCache;
import java.util.ArrayList;
import java.util.List;

/**
 * Compiles kernels for one architecture, from the cache if they are there. A compiler older than
 * the device makes PTX for the newest architecture it knows, which the driver translates.
 * Thread-safe.
 */
final class KernelCompiler {
  private final RuntimeCompiler compiler;
  private final ProgramCache cache;
  private final String architecture;

  /**
   * @param architecture of the device: 90 for compute capability 9.0
   * @throws IllegalStateException if the compiler does not compile for devices so old
   */
  KernelCompiler(RuntimeCompiler compiler, ProgramCache cache, int architecture) {
    this.compiler = compiler;
    this.cache = cache;
    this.architecture = target(compiler, architecture);
  }

  private static String target(RuntimeCompiler compiler, int device) {
    List<Integer> known = compiler.architectures();
    if (known.contains(device)) {
      return "sm_" + device;
    }
    int newest =
        known.stream()
            .mapToInt(Integer::intValue)
            .filter(architecture -> architecture <= device)
            .max()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "%s compiles for compute capability %d.%d and later, the device has %d.%d; install an older NVRTC"
                            .formatted(
                                compiler.version(),
                                known.getFirst() / 10,
                                known.getFirst() % 10,
                                device / 10,
                                device % 10)));
    return "compute_" + newest;
  }

  String version() {
    return compiler.version();
  }

  /**
   * A program for the driver.
   *
   * @param file one of {@link KernelSource#FILES}
   * @param definitions macros, {@code NAME=value}
   * @throws IllegalStateException if it does not compile; the message has the compiler's words
   */
  byte[] image(String file, List<String> definitions) {
    String source = KernelSource.of(file, KernelSource.Language.CUDA);
    List<String> options = options(definitions);
    String key = ProgramCache.key(source, String.join(" ", options), compiler.version());
    return cache.read(key).orElseGet(() -> compile(file, source, options, key));
  }

  private List<String> options(List<String> definitions) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + architecture);
    options.add("--fmad=false"); // what is fused is written down
    definitions.forEach(definition -> options.add("-D" + definition));
    return options;
  }

  private byte[] compile(String file, String source, List<String> options, String key) {
    try {
      byte[] image = compiler.compile(file + ".cu", source, options);
      cache.write(key, image);
      return image;
    } catch (CompileException e) {
      throw new IllegalStateException(
          "%s.cl does not compile with %s of %s:%n%s"
              .formatted(file, options, compiler.version(), e.getMessage()),
          e);
    }
  }
}
