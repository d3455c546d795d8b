package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a context takes of a device's memory: the difference of what NVML says is free, since the
 * driver itself answers only within a context.
 */
final class ContextMemory {
  private static final String LIBRARY = "libnvidia-ml.so.1";

  /** nvmlMemory_t: total, free, used, 8 bytes each. */
  private static final long MEMORY_BYTES = 24;

  private static final long FREE_AT = 8;

  private final String busId;
  private final OptionalLong before;

  private ContextMemory(String busId) {
    this.busId = busId;
    before = free();
  }

  /** What is free now, before the context is opened. */
  static ContextMemory of(String busId) {
    return new ContextMemory(busId);
  }

  /** Bytes taken since, at least 0; empty where NVML does not say. */
  Optional<Long> taken() {
    OptionalLong after = before.isPresent() ? free() : OptionalLong.empty();
    return after.isPresent()
        ? Optional.of(Math.max(0, before.getAsLong() - after.getAsLong()))
        : Optional.empty();
  }

  private OptionalLong free() {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup library = LibCuda.library(LIBRARY, arena);
      if (0 != (int) link(library, "nvmlInit_v2").invokeExact()) {
        return OptionalLong.empty();
      }
      OptionalLong free = ask(library, arena);
      int ignored = (int) link(library, "nvmlShutdown").invokeExact();
      return free;
    } catch (IllegalArgumentException e) { // there is no such library
      return OptionalLong.empty();
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  private OptionalLong ask(SymbolLookup library, Arena arena) throws Throwable {
    MemorySegment device = arena.allocate(JAVA_LONG);
    MemorySegment memory = arena.allocate(MEMORY_BYTES, 8);
    int found =
        (int)
            link(library, "nvmlDeviceGetHandleByPciBusId_v2", ADDRESS, ADDRESS)
                .invokeExact(arena.allocateFrom(busId), device);
    if (found != 0) {
      return OptionalLong.empty();
    }
    int asked =
        (int)
            link(library, "nvmlDeviceGetMemoryInfo", JAVA_LONG, ADDRESS)
                .invokeExact(device.get(JAVA_LONG, 0), memory);
    return asked == 0 ? OptionalLong.of(memory.get(JAVA_LONG, FREE_AT)) : OptionalLong.empty();
  }

  private static MethodHandle link(
      SymbolLookup library, String name, java.lang.foreign.MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
