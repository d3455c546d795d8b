package dev.offload.tensors;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Zeroed memory outside the Java heap. On Linux large blocks are mapped on 2 MiB boundaries and
 * asked onto huge pages: a core reads such memory almost twice as fast as memory in 4 KiB pages,
 * because it does not wait for address translation. Thread-safe.
 */
public final class HostMemory {
  /** Alignment of every block. */
  public static final long ALIGNMENT = 4096;

  /** Size of a huge page on x86-64 and, with 4 KiB base pages, on AArch64. */
  public static final long HUGE_PAGE = 2L << 20;

  // asm-generic/mman-common.h and bits/mman-linux.h
  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
  private static final int MADV_HUGEPAGE = 14;

  private final Mappings mappings;

  private HostMemory(Mappings mappings) {
    this.mappings = mappings;
  }

  /** The memory of this machine. */
  public static HostMemory open() {
    boolean linux = System.getProperty("os.name").equals("Linux");
    return new HostMemory(linux ? Mappings.link() : null);
  }

  /** Bytes of the pages that so many bytes from the beginning of one touch. */
  public static long wholePages(long bytes) {
    return Mappings.roundUp(bytes, ALIGNMENT);
  }

  /** A block that lives as long as the arena, which must be shared. */
  public MemorySegment allocate(long bytes, Arena arena) {
    if (mappings == null || bytes < HUGE_PAGE) {
      return arena.allocate(bytes, ALIGNMENT);
    }
    return mappings.map(bytes, arena);
  }

  /** The system calls, as method handles. */
  private record Mappings(MethodHandle mmap, MethodHandle munmap, MethodHandle madvise) {

    static Mappings link() {
      return new Mappings(
          link(
              "mmap",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG)),
          link(
              "munmap",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG)),
          link(
              "madvise",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT)));
    }

    private static MethodHandle link(String name, FunctionDescriptor signature) {
      Linker linker = Linker.nativeLinker();
      SymbolLookup library = linker.defaultLookup();
      return linker.downcallHandle(library.findOrThrow(name), signature);
    }

    MemorySegment map(long bytes, Arena arena) {
      long size = roundUp(bytes, ALIGNMENT);
      long mapped = mmap(size + HUGE_PAGE, bytes);
      long start = roundUp(mapped, HUGE_PAGE);
      trim(mapped, start);
      trim(start + size, mapped + size + HUGE_PAGE);
      adviseHugePages(start, size);
      return MemorySegment.ofAddress(start)
          .reinterpret(bytes, arena, ignored -> unmap(start, size));
    }

    private void trim(long from, long to) {
      if (to > from) {
        unmap(from, to - from);
      }
    }

    private long mmap(long size, long wanted) {
      try {
        long address =
            (long) mmap.invokeExact(0L, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
        if (address == -1) {
          throw new IllegalStateException(
              "the operating system refused %s of memory; ask for a smaller budget or free memory"
                  .formatted(ByteSize.format(wanted)));
        }
        return address;
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    private void unmap(long address, long size) {
      try {
        int status = (int) munmap.invokeExact(address, size);
        assert status == 0 : "munmap of " + size + " bytes failed";
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    /** A hint: where the kernel has no huge pages the memory is merely slower. */
    private void adviseHugePages(long address, long size) {
      try {
        int ignored = (int) madvise.invokeExact(address, size, MADV_HUGEPAGE);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    private static long roundUp(long value, long multiple) {
      return (value + multiple - 1) & -multiple;
    }
  }
}
