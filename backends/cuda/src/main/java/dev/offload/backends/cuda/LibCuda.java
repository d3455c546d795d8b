package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.offload.backends.api.DeviceDescription;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Functions of the driver's library that are called past JCuda: those that say whether there is a
 * device, so that JCuda is not loaded where there is none, and what is called most often: the
 * launch of kernels, 3 µs instead of 6 µs on an H200's machine, and the choice of the context
 * before it.
 */
record LibCuda(
    MethodHandle init,
    MethodHandle deviceCount,
    MethodHandle deviceGet,
    MethodHandle deviceName,
    MethodHandle deviceMemory,
    MethodHandle deviceAttribute,
    MethodHandle version,
    MethodHandle setCurrentContext,
    MethodHandle launchKernel) {
  static final String NAME = "libcuda.so.1";

  /** Where it is if the loader does not know: in some containers, and in Linux on Windows. */
  private static final List<String> UNUSUAL_FOLDERS =
      List.of("/usr/local/nvidia/lib64", "/usr/lib/wsl/lib");

  private static final int NAME_BYTES = 256;

  // CUdevice_attribute, cuda.h
  private static final int MULTIPROCESSORS = 16;
  private static final int INTEGRATED = 18;
  private static final int CAPABILITY_MAJOR = 75;
  private static final int CAPABILITY_MINOR = 76;

  /**
   * Links the functions. The library stays loaded.
   *
   * @throws IllegalArgumentException if there is no such library
   */
  static LibCuda open() {
    SymbolLookup library = library(NAME, Arena.ofShared());
    return new LibCuda(
        link(library, "cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT)),
        link(library, "cuDeviceGetCount", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
        link(library, "cuDeviceGet", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
        link(
            library,
            "cuDeviceGetName",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT)),
        link(library, "cuDeviceTotalMem_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
        link(
            library,
            "cuDeviceGetAttribute",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT)),
        link(library, "cuDriverGetVersion", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
        link(library, "cuCtxSetCurrent", FunctionDescriptor.of(JAVA_INT, JAVA_LONG)),
        link(
            library,
            "cuLaunchKernel",
            FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, // function
                JAVA_INT, // grid
                JAVA_INT, JAVA_INT, JAVA_INT, // block
                JAVA_INT, JAVA_INT, JAVA_INT, // bytes of shared memory
                JAVA_LONG, // stream
                ADDRESS, // parameters
                JAVA_LONG))); // further options, none
  }

  /**
   * A library of the driver. What is linked against it finds it loaded.
   *
   * @throws IllegalArgumentException if there is none
   */
  static SymbolLookup library(String name, Arena arena) {
    try {
      return SymbolLookup.libraryLookup(name, arena);
    } catch (IllegalArgumentException e) {
      return UNUSUAL_FOLDERS.stream()
          .map(folder -> Path.of(folder, name))
          .filter(Files::isRegularFile)
          .findFirst()
          .map(file -> SymbolLookup.libraryLookup(file, arena))
          .orElseThrow(() -> e);
    }
  }

  private static MethodHandle link(SymbolLookup library, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
  }

  /**
   * Starts the driver and counts its devices.
   *
   * @throws CudaException if it does not start
   */
  int countDevices() {
    try {
      CudaException.check("cuInit", (int) init.invokeExact(0));
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
    return readInt("cuDeviceGetCount", deviceCount);
  }

  /** The devices, none of them opened. The driver has been started. */
  List<DeviceDescription> devices() {
    return IntStream.range(0, countDevices()).mapToObj(this::describe).toList();
  }

  private DeviceDescription describe(int index) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(JAVA_INT);
      CudaException.check("cuDeviceGet", (int) deviceGet.invokeExact(handle, index));
      int device = handle.get(JAVA_INT, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      CudaException.check(
          "cuDeviceGetName", (int) deviceName.invokeExact(name, NAME_BYTES, device));
      MemorySegment bytes = arena.allocate(JAVA_LONG);
      CudaException.check("cuDeviceTotalMem", (int) deviceMemory.invokeExact(bytes, device));
      return new DeviceDescription(
          index,
          name.getString(0).strip(),
          attribute(arena, INTEGRATED, device) != 0
              ? DeviceDescription.Kind.INTEGRATED_GPU
              : DeviceDescription.Kind.GPU,
          bytes.get(JAVA_LONG, 0),
          attribute(arena, MULTIPROCESSORS, device),
          "compute capability %d.%d, driver for CUDA %d.%d"
              .formatted(
                  attribute(arena, CAPABILITY_MAJOR, device),
                  attribute(arena, CAPABILITY_MINOR, device),
                  driverVersion() / 1000,
                  driverVersion() % 1000 / 10));
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  private int attribute(Arena arena, int which, int device) throws Throwable {
    MemorySegment value = arena.allocate(JAVA_INT);
    CudaException.check(
        "cuDeviceGetAttribute", (int) deviceAttribute.invokeExact(value, which, device));
    return value.get(JAVA_INT, 0);
  }

  /** Version of CUDA that the driver knows: 13000 for 13.0. */
  int driverVersion() {
    return readInt("cuDriverGetVersion", version);
  }

  private static int readInt(String call, MethodHandle function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_INT);
      CudaException.check(call, (int) function.invokeExact(value));
      return value.get(JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  /** The status of making a context that of the calling thread, before every other call. */
  int setCurrent(long context) {
    try {
      return (int) setCurrentContext.invokeExact(context);
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  /** The status of a launch. */
  int launch(
      long function,
      Driver.Grid grid,
      int threads,
      int sharedBytes,
      long stream,
      MemorySegment parameters) {
    try {
      return (int)
          launchKernel.invokeExact(
              function,
              grid.first(),
              grid.second(),
              1,
              threads,
              1,
              1,
              sharedBytes,
              stream,
              parameters,
              0L);
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }
}
