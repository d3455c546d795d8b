package dev.offload.backends.opencl;

import dev.offload.tensors.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/**
 * Memory of a context. Where it is shared, as it can be if kernels run on the host's processor, all
 * of it is ordinary memory, on huge pages, which the device uses where it is; else device memory is
 * the driver's, and pinned memory is a buffer of the driver's that stays mapped. Thread-safe.
 */
final class OpenClMemory {
  private static final long ALIGNMENT = HostMemory.ALIGNMENT;
  private static final HostMemory HOST_MEMORY = HostMemory.open();

  private final OpenClContext context;
  private final long queue;
  private final boolean shared;

  /**
   * @param queue for mapping pinned memory
   * @param shared whether device memory is the host's, which a processor's may be
   */
  OpenClMemory(OpenClContext context, long queue, boolean shared) {
    this.context = context;
    this.queue = queue;
    this.shared = shared;
  }

  boolean isShared() {
    return shared;
  }

  /** A buffer of the device. Whoever closes it runs {@code onClose} behind. */
  OpenClBuffer allocate(long bytes, Runnable onClose) {
    long size = Math.max(1, bytes);
    long most = context.device().largestBufferBytes();
    if (size > most) {
      throw new IllegalArgumentException(
          "a buffer of %d bytes is asked for, %s gives at most %d"
              .formatted(size, context.device().name(), most));
    }
    return shared ? allocateOnHost(bytes, onClose) : allocateOnDevice(bytes, onClose);
  }

  /** Memory of the driver's own, wherever kernels run; at no particular boundary. */
  OpenClBuffer allocateOnDevice(long bytes, Runnable onClose) {
    long handle = create(CL10.CL_MEM_READ_WRITE, Math.max(1, bytes));
    return new OpenClBuffer(
        handle,
        bytes,
        () -> {
          release(handle);
          onClose.run();
        });
  }

  private OpenClBuffer allocateOnHost(long bytes, Runnable onClose) {
    Arena arena = Arena.ofShared();
    try {
      OpenClBuffer view = wrap(HOST_MEMORY.allocate(Math.max(1, bytes), arena));
      return new OpenClBuffer(
          view.handle(),
          bytes,
          () -> {
            view.close();
            arena.close();
            onClose.run();
          });
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** A buffer that is host memory; only where memory is shared. */
  OpenClBuffer wrap(MemorySegment segment) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long handle =
          CL10.nclCreateBuffer(
              context.handle(),
              CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_USE_HOST_PTR,
              segment.byteSize(),
              segment.address(),
              MemoryUtil.memAddress(status));
      Status.check("clCreateBuffer", status, handle);
      return new OpenClBuffer(handle, segment.byteSize(), () -> release(handle));
    }
  }

  /** Host memory, zeroed. Whoever closes it runs {@code onClose} behind. */
  OpenClPinnedBuffer allocatePinned(long bytes, Runnable onClose) {
    return shared ? newHostMemory(bytes, onClose) : newMapped(bytes, onClose);
  }

  private static OpenClPinnedBuffer newHostMemory(long bytes, Runnable onClose) {
    Arena arena = Arena.ofShared();
    try {
      return new OpenClPinnedBuffer(
          HOST_MEMORY.allocate(bytes, arena),
          () -> {
            arena.close();
            onClose.run();
          });
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private OpenClPinnedBuffer newMapped(long bytes, Runnable onClose) {
    long size = bytes + ALIGNMENT;
    long handle = create(CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_ALLOC_HOST_PTR, size);
    try {
      long address = map(handle, size);
      Arena arena = Arena.ofShared();
      MemorySegment segment =
          MemorySegment.ofAddress((address + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)
              .reinterpret(bytes, arena, null);
      segment.fill((byte) 0);
      return new OpenClPinnedBuffer(
          segment,
          () -> {
            arena.close();
            unmap(handle, address);
            release(handle);
            onClose.run();
          });
    } catch (RuntimeException | Error e) {
      release(handle);
      throw e;
    }
  }

  private long map(long handle, long size) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long address =
          CL10.nclEnqueueMapBuffer(
              queue,
              handle,
              CL10.CL_TRUE,
              CL10.CL_MAP_READ | CL10.CL_MAP_WRITE,
              0,
              size,
              0,
              MemoryUtil.NULL,
              MemoryUtil.NULL,
              MemoryUtil.memAddress(status));
      return Status.check("clEnqueueMapBuffer", status, address);
    }
  }

  private void unmap(long handle, long address) {
    Status.check(
        "clEnqueueUnmapMemObject",
        CL10.nclEnqueueUnmapMemObject(queue, handle, address, 0, MemoryUtil.NULL, MemoryUtil.NULL));
    Status.check("clFinish", CL10.clFinish(queue));
  }

  private long create(long flags, long size) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long handle = CL10.clCreateBuffer(context.handle(), flags, size, status);
      return Status.check("clCreateBuffer of " + size + " bytes", status, handle);
    }
  }

  private static void release(long handle) {
    Status.check("clReleaseMemObject", CL10.clReleaseMemObject(handle));
  }
}
