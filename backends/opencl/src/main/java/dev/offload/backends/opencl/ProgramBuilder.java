package dev.offload.backends.opencl;

import dev.offload.backends.kernels.KernelSource;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** Builds programs for one device, from a cache if they are there. Thread-safe. */
final class ProgramBuilder {
  private static final Pattern PLACE = Pattern.compile("(\\w+\\.(?:cl|h)):(\\d+)");

  private final DeviceHandle device;
  private final long context;
  private final Optional<ProgramCache> cache;

  ProgramBuilder(DeviceHandle device, long context, Optional<ProgramCache> cache) {
    this.device = device;
    this.context = context;
    this.cache = cache;
  }

  /**
   * A cl_program. The caller releases it.
   *
   * @param file one of {@link KernelSource#FILES}
   * @param definitions macros, {@code NAME=value}
   * @throws IllegalStateException if it does not compile; the message has the compiler's words, the
   *     source lines and the device
   */
  long build(String file, List<String> definitions) {
    String source = KernelSource.of(file, KernelSource.Language.OPENCL_C);
    StringBuilder options = new StringBuilder("-cl-std=CL1.2");
    definitions.forEach(definition -> options.append(" -D ").append(definition));
    return build(file, source, options.toString());
  }

  long build(String file, String source, String options) {
    String key = ProgramCache.key(source, options, device.name(), device.driver());
    Optional<Long> cached =
        cache.flatMap(files -> files.read(key)).flatMap(binary -> load(binary, options));
    return cached.orElseGet(() -> compile(file, source, options, key));
  }

  /** A program from its binary; empty if the driver does not take it. */
  private Optional<Long> load(byte[] binary, String options) {
    ByteBuffer bytes = MemoryUtil.memAlloc(binary.length).put(0, binary);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long program =
          CL10.clCreateProgramWithBinary(
              context, stack.pointers(device.id()), new ByteBuffer[] {bytes}, null, status);
      if (status.get(0) != CL10.CL_SUCCESS) {
        return Optional.empty();
      }
      if (CL10.clBuildProgram(program, device.id(), options, null, 0) != CL10.CL_SUCCESS) {
        CL10.clReleaseProgram(program);
        return Optional.empty();
      }
      return Optional.of(program);
    } finally {
      MemoryUtil.memFree(bytes);
    }
  }

  private long compile(String file, String source, String options, String key) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long program =
          Status.check(
              "clCreateProgramWithSource",
              status,
              CL10.clCreateProgramWithSource(context, source, status));
      if (CL10.clBuildProgram(program, device.id(), options, null, 0) != CL10.CL_SUCCESS) {
        String log = log(program);
        CL10.clReleaseProgram(program);
        throw new IllegalStateException(
            "%s.cl does not compile with %s on %s (%s):%n%s%s"
                .formatted(file, options, device.name(), device.driver(), log, namedLines(log)));
      }
      cache.ifPresent(files -> files.write(key, binary(program)));
      return program;
    }
  }

  private String log(long program) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          "clGetProgramBuildInfo",
          CL10.clGetProgramBuildInfo(
              program, device.id(), CL10.CL_PROGRAM_BUILD_LOG, (ByteBuffer) null, size));
      ByteBuffer text = MemoryUtil.memAlloc((int) size.get(0));
      try {
        Status.check(
            "clGetProgramBuildInfo",
            CL10.clGetProgramBuildInfo(
                program, device.id(), CL10.CL_PROGRAM_BUILD_LOG, text, null));
        return MemoryUtil.memUTF8(text, text.capacity() - 1);
      } finally {
        MemoryUtil.memFree(text);
      }
    }
  }

  /** The source lines that the compiler speaks of. */
  private static String namedLines(String log) {
    TreeSet<String> lines = new TreeSet<>();
    Matcher places = PLACE.matcher(log);
    while (places.find()) {
      int line = Integer.parseInt(places.group(2));
      lines.add(places.group() + ": " + KernelSource.line(places.group(1), line).strip());
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static byte[] binary(long program) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          "clGetProgramInfo",
          CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARY_SIZES, size, null));
      ByteBuffer bytes = MemoryUtil.memAlloc((int) size.get(0));
      try {
        Status.check(
            "clGetProgramInfo",
            CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARIES, stack.pointers(bytes), null));
        byte[] binary = new byte[bytes.capacity()];
        bytes.get(0, binary);
        return binary;
      } finally {
        MemoryUtil.memFree(bytes);
      }
    }
  }
}
