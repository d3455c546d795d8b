package dev.offload.backends.cuda;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import java.util.List;
import java.util.Optional;

/**
 * NVIDIA's devices. Nothing is loaded before somebody asks whether they can be used, and JCuda not
 * before one is opened.
 */
public final class CudaBackend implements Backend {
  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Optional<String> unusableReason() {
    return CudaMachine.unusableReason();
  }

  @Override
  public List<DeviceDescription> devices() {
    return unusableReason().isPresent() ? List.of() : LibCuda.open().devices();
  }

  @Override
  public long overheadBytes(int index) {
    try (CudaContext context = CudaMachine.openContext(index)) {
      return CudaDevice.overheadBytes(context);
    }
  }

  /**
   * Opens a device. {@link #overheadBytes} comes beside the budget.
   *
   * @throws IllegalStateException if there is no driver, device or NVRTC here
   * @throws IllegalArgumentException if there is no such device, or it has less memory free
   */
  @Override
  public Device open(DeviceOptions options) {
    return CudaDevice.open(CudaMachine.openContext(options.index()), options);
  }
}
