package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.offload.backends.kernels.ProgramCache;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Kernels as they are written for CUDA, compiled by g++ and run on the processor thread by thread;
 * what PTX does for a warp is done as its documentation says. Programs are files, kept by a hash of
 * their source; their image is the file's name.
 */
final class EmulatedKernels implements RuntimeCompiler, FakeDriver.Runner {
  private static final String PTX = "#line 1 \"ptx.h\"";
  private static final String BEHIND_PTX = "#line 1 \"numbers.h\"";
  private static final Pattern KERNEL = Pattern.compile("__kernel void (\\w+)\\(");

  private final Path compiler;
  private final Path folder;
  private final Arena arena = Arena.ofShared();
  private final Map<String, MethodHandle> kernels = new HashMap<>();

  /** Whether the last thread of a block goes first. */
  private boolean backwards;

  EmulatedKernels(Path compiler, Path folder) {
    this.compiler = compiler;
    this.folder = folder;
  }

  /** The compiler on the PATH. */
  static Optional<Path> findCompiler() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(folder -> Path.of(folder, "g++"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @Override
  public String version() {
    return "emulation by g++";
  }

  @Override
  public List<Integer> architectures() {
    return List.of(90);
  }

  @Override
  public byte[] compile(String name, String source, List<String> options) throws CompileException {
    String text = emulated(source);
    List<String> definitions = options.stream().filter(o -> o.startsWith("-D")).toList();
    Path library = folder.resolve(ProgramCache.key(text, definitions.toString()) + ".so");
    try {
      if (!Files.exists(library)) {
        Files.createDirectories(folder);
        compile(text, definitions, library);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return library.toString().getBytes(UTF_8);
  }

  private static String emulated(String source) {
    int start = source.indexOf(PTX);
    int end = source.indexOf(BEHIND_PTX);
    StringBuilder text = new StringBuilder(read("emulated_threads.h"));
    text.append(source, 0, start)
        .append(read("emulated_ptx.h"))
        .append(source, end, source.length());
    text.append("\nalignas(16) float memory[1 << 16];\n");
    KERNEL
        .matcher(source)
        .results()
        .map(kernel -> kernel.group(1))
        .forEach(
            kernel ->
                text.append(
                    """
                    extern "C" void run_%1$s(
                        const unsigned long long *slots, int blocks, int second, int size, int backwards) {
                      emulated::launch(%1$s, slots, blocks, second, size, backwards);
                    }
                    """
                        .formatted(kernel)));
    return text.toString();
  }

  private static String read(String name) {
    try (InputStream in = EmulatedKernels.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void compile(String text, List<String> definitions, Path library)
      throws IOException, CompileException {
    Path source = Files.writeString(Files.createTempFile(folder, "kernel", ".cpp"), text);
    Path part = Files.createTempFile(folder, "kernel", ".so");
    Path messages = Files.createTempFile(folder, "kernel", ".txt");
    List<String> command = new ArrayList<>(List.of(compiler.toString(), "-std=c++17", "-O1"));
    command.addAll(List.of("-fPIC", "-shared", "-ffp-contract=off", "-mfma", "-mf16c", "-w"));
    command.addAll(List.of("-U_FORTIFY_SOURCE", "-fno-strict-aliasing"));
    command.addAll(definitions);
    command.addAll(List.of("-o", part.toString(), source.toString()));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(messages.toFile())
            .start();
    try {
      if (process.waitFor() != 0) {
        throw new CompileException(Files.readString(messages));
      }
      Files.move(part, library, StandardCopyOption.ATOMIC_MOVE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      Files.deleteIfExists(source);
      Files.deleteIfExists(part);
      Files.deleteIfExists(messages);
    }
  }

  /** Blocks one by one, their threads in either order by turns. */
  @Override
  public synchronized void run(
      byte[] image, String kernel, Driver.Grid grid, int threads, long[] arguments) {
    MethodHandle handle =
        kernels.computeIfAbsent(new String(image, UTF_8) + "#" + kernel, this::link);
    backwards = !backwards;
    try (Arena call = Arena.ofConfined()) {
      MemorySegment slots = call.allocateFrom(JAVA_LONG, arguments);
      handle.invokeExact(slots, grid.first(), grid.second(), threads, backwards ? 1 : 0);
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  private MethodHandle link(String key) {
    int at = key.lastIndexOf('#');
    SymbolLookup library = SymbolLookup.libraryLookup(Path.of(key.substring(0, at)), arena);
    return Linker.nativeLinker()
        .downcallHandle(
            library.findOrThrow("run_" + key.substring(at + 1)),
            FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }
}
