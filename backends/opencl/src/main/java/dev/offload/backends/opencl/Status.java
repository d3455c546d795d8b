package dev.offload.backends.opencl;

import java.nio.IntBuffer;
import java.util.Map;
import org.lwjgl.opencl.CL10;

/** Status codes of OpenCL calls. */
final class Status {
  /** Those that users meet; the others are told by number, as in CL/cl.h. */
  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(CL10.CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE"),
          Map.entry(
              CL10.CL_MEM_OBJECT_ALLOCATION_FAILURE,
              "CL_MEM_OBJECT_ALLOCATION_FAILURE: the device has too little memory left"),
          Map.entry(CL10.CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"),
          Map.entry(CL10.CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"),
          Map.entry(CL10.CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"),
          Map.entry(CL10.CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"),
          Map.entry(CL10.CL_INVALID_BINARY, "CL_INVALID_BINARY"),
          Map.entry(CL10.CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE"));

  private Status() {}

  /**
   * Refuses all but success.
   *
   * @param call name of the function
   * @throws IllegalStateException naming function and status
   */
  static void check(String call, int status) {
    if (status != CL10.CL_SUCCESS) {
      throw new IllegalStateException(
          "%s failed with %d%s"
              .formatted(call, status, NAMES.containsKey(status) ? " " + NAMES.get(status) : ""));
    }
  }

  /** As above, with the status where a function that creates something put it. */
  static long check(String call, IntBuffer status, long created) {
    check(call, status.get(0));
    return created;
  }
}
