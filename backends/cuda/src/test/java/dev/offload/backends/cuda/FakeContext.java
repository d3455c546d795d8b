package dev.offload.backends.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Contexts and devices over the fake driver. */
final class FakeContext {
  static final long BUDGET = 1L << 20;

  private FakeContext() {}

  /** A compiler whose programs are the options. */
  static final class FakeCompiler implements RuntimeCompiler {
    final List<String> compiled = new ArrayList<>();
    private final String version;
    private final List<Integer> architectures;

    FakeCompiler(String version, Integer... architectures) {
      this.version = version;
      this.architectures = List.of(architectures);
    }

    @Override
    public String version() {
      return version;
    }

    @Override
    public List<Integer> architectures() {
      return architectures;
    }

    @Override
    public byte[] compile(String name, String source, List<String> options)
        throws CompileException {
      if (options.contains("-DBROKEN=1")) {
        throw new CompileException(name + "(7): error: identifier is undefined");
      }
      compiled.add(name + " " + options);
      return options.toString().getBytes(UTF_8);
    }
  }

  static CudaContext open(FakeDriver driver, Optional<Blas> blas, Path cache) {
    return new CudaContext(
        driver,
        facts ->
            new KernelCompiler(
                new FakeCompiler("NVRTC 13.0", 75, 90),
                new ProgramCache(cache),
                facts.architecture()),
        opened -> blas,
        true);
  }

  /** A device of {@link #BUDGET} bytes each, beside the overhead. */
  static CudaDevice device(FakeDriver driver, Path cache) {
    return new CudaDevice(open(driver, Optional.empty(), cache), true, options(BUDGET));
  }

  static DeviceOptions options(long bytes) {
    return new DeviceOptions(0, bytes, bytes, 1);
  }
}
