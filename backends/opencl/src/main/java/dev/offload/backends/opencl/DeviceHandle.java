package dev.offload.backends.opencl;

import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
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
    platforms().forEach(platform -> addDevices(platform, devices));
    return devices;
  }

  /** The names of the drivers. */
  static List<String> platformNames() {
    return platforms().stream().map(DeviceHandle::platformName).toList();
  }

  private static List<Long> platforms() {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer count = stack.mallocInt(1);
      int status = CL10.clGetPlatformIDs(null, count);
      if (status == CL_PLATFORM_NOT_FOUND || (status == CL10.CL_SUCCESS && count.get(0) == 0)) {
        return List.of();
      }
      Status.check("clGetPlatformIDs", status);
      PointerBuffer platforms = stack.mallocPointer(count.get(0));
      Status.check("clGetPlatformIDs", CL10.clGetPlatformIDs(platforms, (IntBuffer) null));
      return IntStream.range(0, platforms.capacity()).mapToObj(platforms::get).toList();
    }
  }

  private static String platformName(long platform) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer size = stack.mallocPointer(1);
      Status.check(
          "clGetPlatformInfo",
          CL10.clGetPlatformInfo(platform, CL10.CL_PLATFORM_NAME, (ByteBuffer) null, size));
      ByteBuffer text = stack.malloc((int) size.get(0));
      Status.check(
          "clGetPlatformInfo", CL10.clGetPlatformInfo(platform, CL10.CL_PLATFORM_NAME, text, null));
      return MemoryUtil.memUTF8(text, text.capacity() - 1).strip();
    }
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

  /** As the backend describes it. */
  DeviceDescription describe(int index) {
    return new DeviceDescription(index, name(), kind(), memoryBytes(), computeUnits(), driver());
  }

  private DeviceDescription.Kind kind() {
    if (isProcessor()) {
      return DeviceDescription.Kind.PROCESSOR;
    }
    if (!hasType(CL10.CL_DEVICE_TYPE_GPU)) {
      return DeviceDescription.Kind.OTHER;
    }
    return number(CL11.CL_DEVICE_HOST_UNIFIED_MEMORY, Integer.BYTES) != 0
        ? DeviceDescription.Kind.INTEGRATED_GPU
        : DeviceDescription.Kind.GPU;
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

  /** What the work of a group depends on. */
  Limits limits() {
    return new Limits(
        (int) number(CL10.CL_DEVICE_MAX_WORK_GROUP_SIZE, Long.BYTES),
        (int) number(CL10.CL_DEVICE_LOCAL_MEM_SIZE, Long.BYTES),
        isProcessor(),
        computeUnits(),
        number(CL10.CL_DEVICE_LOCAL_MEM_TYPE, Integer.BYTES) == CL10.CL_LOCAL);
  }

  /** Whether kernels run on the processor of the host, so that its memory is theirs. */
  boolean isProcessor() {
    return hasType(CL10.CL_DEVICE_TYPE_CPU);
  }

  private boolean hasType(long type) {
    return (number(CL10.CL_DEVICE_TYPE, Long.BYTES) & type) != 0;
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
