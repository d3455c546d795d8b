package dev.offload.jobs;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** The operating system's copies of files in memory. */
final class PageCache {
  // asm-generic/fcntl.h and linux/fadvise.h
  private static final int O_RDONLY = 0;
  private static final int POSIX_FADV_DONTNEED = 4;

  private PageCache() {}

  /**
   * Asks for the copies of a file to be given up. Only what the disk has already can be.
   *
   * @return why that is not possible, or nothing if it was done
   */
  static Optional<String> drop(Path file) {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.of("only Linux can be asked to");
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle open =
        handle(
            linker,
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    MethodHandle advise =
        handle(
            linker,
            "posix_fadvise",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    MethodHandle close =
        handle(linker, "close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(file.toString());
      int descriptor = (int) open.invokeExact(name, O_RDONLY);
      if (descriptor < 0) {
        return Optional.of("the file cannot be opened");
      }
      int error = (int) advise.invokeExact(descriptor, 0L, 0L, POSIX_FADV_DONTNEED);
      int closed = (int) close.invokeExact(descriptor);
      return error == 0 && closed == 0
          ? Optional.empty()
          : Optional.of("posix_fadvise returned " + error);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("calls of the C library declare no exceptions", e);
    }
  }

  private static MethodHandle handle(
      Linker linker, String name, FunctionDescriptor signature, Linker.Option... options) {
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), signature, options);
  }
}
