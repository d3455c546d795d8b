package dev.offload.backends.opencl;

import dev.offload.backends.kernels.Launch;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.IntBuffer;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/** A context of one device and the programs built in it. Thread-safe. Closed after all in it. */
final class OpenClContext implements AutoCloseable {
  private static final int CL_CONTEXT_PLATFORM = 0x1084; // CL/cl.h

  private final DeviceHandle device;
  private final long handle;
  private final ProgramBuilder builder;
  private final ConcurrentMap<String, Long> programs = new ConcurrentHashMap<>();

  private OpenClContext(DeviceHandle device, long handle, ProgramBuilder builder) {
    this.device = device;
    this.handle = handle;
    this.builder = builder;
  }

  /** The caller closes it. */
  static OpenClContext open(DeviceHandle device) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer properties = stack.pointers(CL_CONTEXT_PLATFORM, device.platform(), 0);
      IntBuffer status = stack.mallocInt(1);
      long handle = CL10.clCreateContext(properties, device.id(), null, 0, status);
      Status.check("clCreateContext", status, handle);
      ProgramBuilder builder = new ProgramBuilder(device, handle, cacheFor(device));
      return new OpenClContext(device, handle, builder);
    }
  }

  /**
   * None for a processor: PoCL has files of its own, and compiles every kernel of a program for
   * groups of any size when it is asked for the binary.
   */
  private static Optional<ProgramCache> cacheFor(DeviceHandle device) {
    return device.isProcessor() ? Optional.empty() : Optional.of(ProgramCache.ofUser("opencl"));
  }

  DeviceHandle device() {
    return device;
  }

  long handle() {
    return handle;
  }

  /** A kernel, which takes one thread's arguments at a time. The caller releases it. */
  long newKernel(Launch launch) {
    long program =
        programs.computeIfAbsent(
            launch.file() + launch.definitions(),
            key -> builder.build(launch.file(), launch.definitions()));
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long kernel = CL10.clCreateKernel(program, launch.kernel(), status);
      return Status.check("clCreateKernel of " + launch.kernel(), status, kernel);
    }
  }

  @Override
  public void close() {
    for (long program : programs.values()) {
      Status.check("clReleaseProgram", CL10.clReleaseProgram(program));
    }
    programs.clear();
    Status.check("clReleaseContext", CL10.clReleaseContext(handle));
  }
}
