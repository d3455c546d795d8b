package dev.offload.backends.cuda;

import java.util.Map;
import java.util.Set;
import jcuda.driver.CUresult;

/** A call of the driver that failed: which, with what, and what to do. */
final class CudaException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /** What helps, for the statuses that users meet. */
  private static final Map<Integer, String> REMEDIES =
      Map.ofEntries(
          Map.entry(
              CUresult.CUDA_ERROR_OUT_OF_MEMORY,
              "the device has too little memory left; look with nvidia-smi who uses it, or lower --device-memory"),
          Map.entry(
              CUresult.CUDA_ERROR_NO_DEVICE,
              "the driver sees no device; CUDA_VISIBLE_DEVICES may hide it, or the container was started without it (docker run --gpus all)"),
          Map.entry(
              CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
              "the kernel was compiled for another device; delete ~/.cache/offload/cuda"),
          Map.entry(
              CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
              "NVRTC is newer than the driver; install a newer driver, or the NVRTC of the driver's version"),
          Map.entry(
              CUresult.CUDA_ERROR_INVALID_IMAGE,
              "the compiled kernel is damaged; delete ~/.cache/offload/cuda"),
          Map.entry(
              CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH,
              "the driver's library and its kernel module differ in version; restart the machine"),
          Map.entry(
              CUresult.CUDA_ERROR_SYSTEM_NOT_READY,
              "the machine's fabric is not up; start nvidia-fabricmanager"),
          Map.entry(
              CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
              "the device's memory is faulty; reset or replace it"),
          Map.entry(
              CUresult.CUDA_ERROR_UNKNOWN,
              "the driver does not say why; dmesg may (lines with Xid)"));

  /** After these every further call of the process fails: cuda.h, "inconsistent state". */
  private static final Set<Integer> STICKY =
      Set.of(
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
          226, // CUDA_ERROR_CONTAINED, since CUDA 12.8
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED,
          721); // CUDA_ERROR_TENSOR_MEMORY_LEAK, since CUDA 12.8

  private final String call;
  private final int status;

  /**
   * @param call function and what it was asked for
   * @param status CUresult
   */
  CudaException(String call, int status) {
    super(failure(call, status) + remedy(status));
    this.call = call;
    this.status = status;
  }

  private static String failure(String call, int status) {
    return "%s failed with %s (%d)".formatted(call, CUresult.stringFor(status), status);
  }

  private static String remedy(int status) {
    if (STICKY.contains(status) && !REMEDIES.containsKey(status)) {
      return ": the device is lost to this process; start it again, with --resume for a job";
    }
    return REMEDIES.containsKey(status) ? ": " + REMEDIES.get(status) : "";
  }

  /** Refuses all but success. */
  static void check(String call, int status) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw new CudaException(call, status);
    }
  }

  /** The call and its status, without what to do. */
  String failure() {
    return failure(call, status);
  }

  /** Whether the device is lost: no call of this process works any more. */
  boolean isSticky() {
    return STICKY.contains(status);
  }
}
