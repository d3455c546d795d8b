package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.stream.IntStream;

/** NVRTC through FFM, major versions 12 and 13. */
final class Nvrtc implements RuntimeCompiler {
  // nvrtc.h
  private static final int SUCCESS = 0;
  private static final int COMPILATION_FAILED = 6;

  private final Functions functions;
  private final String version;
  private final List<Integer> architectures;

  /**
   * Links the functions; needs no device.
   *
   * @param library as the file was loaded
   */
  Nvrtc(SymbolLookup library) {
    functions = Functions.link(library);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(JAVA_INT);
      MemorySegment minor = arena.allocate(JAVA_INT);
      check("nvrtcVersion", (int) functions.version().invokeExact(major, minor));
      version = "NVRTC %d.%d".formatted(major.get(JAVA_INT, 0), minor.get(JAVA_INT, 0));
      MemorySegment count = arena.allocate(JAVA_INT);
      check("nvrtcGetNumSupportedArchs", (int) functions.countArchitectures().invokeExact(count));
      MemorySegment all = arena.allocate(JAVA_INT, count.get(JAVA_INT, 0));
      check("nvrtcGetSupportedArchs", (int) functions.architectures().invokeExact(all));
      architectures = IntStream.of(all.toArray(JAVA_INT)).sorted().boxed().toList();
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
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
  public byte[] compile(String name, String source, List<String> options) throws CompileException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(JAVA_LONG);
      check(
          "nvrtcCreateProgram",
          (int)
              functions
                  .create()
                  .invokeExact(
                      program,
                      arena.allocateFrom(source),
                      arena.allocateFrom(name),
                      0,
                      MemorySegment.NULL,
                      MemorySegment.NULL));
      try {
        return compile(arena, program.get(JAVA_LONG, 0), options);
      } finally {
        check("nvrtcDestroyProgram", (int) functions.destroy().invokeExact(program));
      }
    } catch (CompileException e) {
      throw e;
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  private byte[] compile(Arena arena, long program, List<String> options) throws Throwable {
    MemorySegment texts = arena.allocate(ADDRESS, options.size());
    for (int i = 0; i < options.size(); i++) {
      texts.setAtIndex(ADDRESS, i, arena.allocateFrom(options.get(i)));
    }
    int status = (int) functions.compile().invokeExact(program, options.size(), texts);
    if (status == COMPILATION_FAILED) {
      byte[] log = read(arena, program, functions.logSize(), functions.log());
      throw new CompileException(MemorySegment.ofArray(log).getString(0));
    }
    check("nvrtcCompileProgram " + options, status);
    return options.stream().anyMatch(option -> option.contains("=compute_"))
        ? read(arena, program, functions.ptxSize(), functions.ptx())
        : read(arena, program, functions.cubinSize(), functions.cubin());
  }

  private byte[] read(Arena arena, long program, MethodHandle size, MethodHandle content)
      throws Throwable {
    MemorySegment bytes = arena.allocate(JAVA_LONG);
    check("the size of NVRTC's result", (int) size.invokeExact(program, bytes));
    MemorySegment result = arena.allocate(bytes.get(JAVA_LONG, 0));
    check("NVRTC's result", (int) content.invokeExact(program, result));
    return result.toArray(JAVA_BYTE);
  }

  private void check(String call, int status) {
    if (status == SUCCESS) {
      return;
    }
    try {
      MemorySegment text = (MemorySegment) functions.errorString().invokeExact(status);
      throw new IllegalStateException(
          "%s failed with %d %s".formatted(call, status, text.reinterpret(256).getString(0)));
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  /** The functions; an nvrtcProgram is a number. */
  record Functions(
      MethodHandle version,
      MethodHandle countArchitectures,
      MethodHandle architectures,
      MethodHandle create,
      MethodHandle compile,
      MethodHandle destroy,
      MethodHandle logSize,
      MethodHandle log,
      MethodHandle ptxSize,
      MethodHandle ptx,
      MethodHandle cubinSize,
      MethodHandle cubin,
      MethodHandle errorString) {

    static Functions link(SymbolLookup library) {
      return new Functions(
          link(library, "nvrtcVersion", ADDRESS, ADDRESS),
          link(library, "nvrtcGetNumSupportedArchs", ADDRESS),
          link(library, "nvrtcGetSupportedArchs", ADDRESS),
          link(
              library, "nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS),
          link(library, "nvrtcCompileProgram", JAVA_LONG, JAVA_INT, ADDRESS),
          link(library, "nvrtcDestroyProgram", ADDRESS),
          link(library, "nvrtcGetProgramLogSize", JAVA_LONG, ADDRESS),
          link(library, "nvrtcGetProgramLog", JAVA_LONG, ADDRESS),
          link(library, "nvrtcGetPTXSize", JAVA_LONG, ADDRESS),
          link(library, "nvrtcGetPTX", JAVA_LONG, ADDRESS),
          link(library, "nvrtcGetCUBINSize", JAVA_LONG, ADDRESS),
          link(library, "nvrtcGetCUBIN", JAVA_LONG, ADDRESS),
          Linker.nativeLinker()
              .downcallHandle(
                  library.findOrThrow("nvrtcGetErrorString"),
                  FunctionDescriptor.of(ADDRESS, JAVA_INT)));
    }

    private static MethodHandle link(SymbolLookup library, String name, MemoryLayout... arguments) {
      return Linker.nativeLinker()
          .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }
  }
}
