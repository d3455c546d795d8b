package dev.offload.backends.opencl;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/**
 * A device as OpenCL numbers it, and what it says about itself.
 *
 * @param platform cl_platform_id
 * @param id cl_device_id
 */
record DeviceHandle(long platform, long id) {
  private static final int CL_PLATFORM_NOT_FOUND = -1001; // cl_khr_icd

  /** All devices of all platforms, in their order. */
  static List<DeviceHandle> all() {
    List<DeviceHandle> devices = new ArrayList<>();
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      int status = CL10.clGetPlatformIDs(null, count);
      if (status == CL_PLATFORM_NOT_FOUND) {
        return devices;
      }
      Status.check("clGetPlatformIDs", status);
      PointerBuffer platforms = stack.mallocPointer(count.get(0));
      Status.check("clGetPlatformIDs", CL10.clGetPlatformIDs(platforms, (IntBuffer) null));
      for (int i = 0; i < platforms.capacity(); i++) {
        addDevices(platforms.get(i), devices);
      }
    }
    return devices;
  }

  private static void addDevices(long platform, List<DeviceHandle> devices) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      int status = CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, null, count);
      if (status == CL10.CL_DEVICE_NOT_FOUND) {
        return;
      }
      Status.check("clGetDeviceIDs", status);
      PointerBuffer ids = stack.mallocPointer(count.get(0));
      Status.check(
          "clGetDeviceIDs",
          CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, ids, (IntBuffer) null));
      for (int i = 0; i < ids.capacity(); i++) {
        devices.add(new DeviceHandle(platform, ids.get(i)));
      }
    }
  }

  String name() {
    return text(CL10.CL_DEVICE_NAME);
  }

  /** What tells one build of a driver from another. */
  String driver() {
    return "%s, driver %s of %s"
        .formatted(
            text(CL10.CL_DEVICE_VERSION),
            text(CL10.CL_DRIVER_VERSION),
            text(CL10.CL_DEVICE_VENDOR));
  }

  int computeUnits() {
    return (int) number(CL10.CL_DEVICE_MAX_COMPUTE_UNITS, Integer.BYTES);
  }

  long memoryBytes() {
    return number(CL10.CL_DEVICE_GLOBAL_MEM_SIZE, Long.BYTES);
  }

  long largestBufferBytes() {
    return number(CL10.CL_DEVICE_MAX_MEM_ALLOC_SIZE, Long.BYTES);
  }

  int localBytes() {
    return (int) number(CL10.CL_DEVICE_LOCAL_MEM_SIZE, Long.BYTES);
  }

  int groupItems() {
    return (int) number(CL10.CL_DEVICE_MAX_WORK_GROUP_SIZE, Long.BYTES);
  }

  /** Whether kernels run on the processor of the host, so that its memory is theirs. */
  boolean isProcessor() {
    return (number(CL10.CL_DEVICE_TYPE, Long.BYTES) & CL10.CL_DEVICE_TYPE_CPU) != 0;
  }

  private String text(int what) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check("clGetDeviceInfo", CL10.clGetDeviceInfo(id, what, (ByteBuffer) null, size));
      ByteBuffer text = stack.malloc((int) size.get(0));
      Status.check("clGetDeviceInfo", CL10.clGetDeviceInfo(id, what, text, null));
      return MemoryUtil.memUTF8(text, text.capacity() - 1).strip();
    }
  }

  private long number(int what, int bytes) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      ByteBuffer number = stack.malloc(bytes);
      Status.check("clGetDeviceInfo", CL10.clGetDeviceInfo(id, what, number, null));
      return bytes == Integer.BYTES ? number.getInt(0) : number.getLong(0);
    }
  }
}
