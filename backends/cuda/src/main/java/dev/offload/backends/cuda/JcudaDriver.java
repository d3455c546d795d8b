package dev.offload.backends.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The driver through JCuda, with the primary context of a device: the one that libraries share.
 * JCuda's natives are unpacked and loaded when the first of these is opened.
 */
final class JcudaDriver implements Driver {
  private static final int NAME_BYTES = 256;
  private static final int PCI_BUS_ID_CHARACTERS = 64;

  private final LibCuda library;
  private final CUdevice device;
  private final JcudaContext context = new JcudaContext();
  private final Facts facts;
  private final long contextBytes;

  /**
   * Opens a device and its primary context.
   *
   * @param index from 0, smaller than the number of devices
   */
  JcudaDriver(LibCuda library, int index) {
    this.library = library;
    JCudaDriver.setExceptionsEnabled(false);
    CudaException.check("cuInit", JCudaDriver.cuInit(0));
    device = new CUdevice();
    CudaException.check("cuDeviceGet of " + index, JCudaDriver.cuDeviceGet(device, index));
    facts = readFacts();
    ContextMemory measured = ContextMemory.of(busId());
    CudaException.check(
        "cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    contextBytes = measured.taken().orElseGet(() -> facts.memoryBytes() - freeBytes());
  }

  private Facts readFacts() {
    byte[] name = new byte[NAME_BYTES];
    CudaException.check("cuDeviceGetName", JCudaDriver.cuDeviceGetName(name, NAME_BYTES, device));
    long[] bytes = new long[1];
    CudaException.check("cuDeviceTotalMem", JCudaDriver.cuDeviceTotalMem(bytes, device));
    return new Facts(
        new String(name, UTF_8).split("\0", 2)[0].strip(),
        10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
        library.driverVersion(),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
        bytes[0],
        attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_READ_ONLY_HOST_REGISTER_SUPPORTED) != 0);
  }

  private int attribute(int which) {
    int[] value = new int[1];
    CudaException.check(
        "cuDeviceGetAttribute " + which, JCudaDriver.cuDeviceGetAttribute(value, which, device));
    return value[0];
  }

  private String busId() {
    String[] id = new String[1];
    CudaException.check(
        "cuDeviceGetPCIBusId", JCudaDriver.cuDeviceGetPCIBusId(id, PCI_BUS_ID_CHARACTERS, device));
    return id[0].strip();
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public long freeBytes() {
    makeCurrent();
    long[] free = new long[1];
    long[] total = new long[1];
    CudaException.check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, total));
    return free[0];
  }

  @Override
  public long contextBytes() {
    return contextBytes;
  }

  @Override
  public long allocate(long bytes) {
    makeCurrent();
    DeviceAddress address = new DeviceAddress();
    CudaException.check(
        "cuMemAlloc of %d bytes".formatted(bytes), JCudaDriver.cuMemAlloc(address, bytes));
    return address.value();
  }

  @Override
  public void free(long address) {
    makeCurrent();
    CudaException.check("cuMemFree", JCudaDriver.cuMemFree(device(address)));
  }

  @Override
  public void register(long address, long bytes) {
    register("cuMemHostRegister", address, bytes, 0);
  }

  @Override
  public void registerReadOnly(long address, long bytes) {
    register(
        "read-only cuMemHostRegister", address, bytes, JCudaDriver.CU_MEMHOSTREGISTER_READ_ONLY);
  }

  private void register(String call, long address, long bytes, int flags) {
    makeCurrent();
    CudaException.check(
        "%s of %d bytes".formatted(call, bytes),
        JCudaDriver.cuMemHostRegister(host(address), bytes, flags));
  }

  @Override
  public void unregister(long address) {
    makeCurrent();
    CudaException.check("cuMemHostUnregister", JCudaDriver.cuMemHostUnregister(host(address)));
  }

  @Override
  public Queue newQueue() {
    makeCurrent();
    JcudaQueue queue = new JcudaQueue();
    CudaException.check(
        "cuStreamCreate", JCudaDriver.cuStreamCreate(queue, CUstream_flags.CU_STREAM_NON_BLOCKING));
    return queue;
  }

  @Override
  public void destroy(Queue queue) {
    makeCurrent();
    CudaException.check("cuStreamDestroy", JCudaDriver.cuStreamDestroy(of(queue)));
  }

  @Override
  public Mark newMark() {
    makeCurrent();
    JcudaMark mark = new JcudaMark();
    CudaException.check(
        "cuEventCreate", JCudaDriver.cuEventCreate(mark, CUevent_flags.CU_EVENT_BLOCKING_SYNC));
    return mark;
  }

  @Override
  public void destroy(Mark mark) {
    makeCurrent();
    CudaException.check("cuEventDestroy", JCudaDriver.cuEventDestroy(of(mark)));
  }

  @Override
  public void record(Mark mark, Queue queue) {
    makeCurrent();
    CudaException.check("cuEventRecord", JCudaDriver.cuEventRecord(of(mark), of(queue)));
  }

  @Override
  public void await(Queue queue, Mark mark) {
    makeCurrent();
    CudaException.check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(of(queue), of(mark), 0));
  }

  @Override
  public boolean isReached(Mark mark) {
    makeCurrent();
    int status = JCudaDriver.cuEventQuery(of(mark));
    if (status == CUresult.CUDA_ERROR_NOT_READY) {
      return false;
    }
    CudaException.check("work before an event", status);
    return true;
  }

  @Override
  public void synchronize(Mark mark) {
    makeCurrent();
    CudaException.check("work before an event", JCudaDriver.cuEventSynchronize(of(mark)));
  }

  @Override
  public float elapsedMillis(Mark from, Mark to) {
    makeCurrent();
    float[] millis = new float[1];
    CudaException.check(
        "cuEventElapsedTime", JCudaDriver.cuEventElapsedTime(millis, of(from), of(to)));
    return millis[0];
  }

  @Override
  public void synchronize(Queue queue) {
    makeCurrent();
    CudaException.check("work on a stream", JCudaDriver.cuStreamSynchronize(of(queue)));
  }

  @Override
  public void copyToDevice(long to, long from, long bytes, Queue queue) {
    makeCurrent();
    checkCopy(
        "cuMemcpyHtoDAsync",
        bytes,
        JCudaDriver.cuMemcpyHtoDAsync(device(to), host(from), bytes, of(queue)));
  }

  @Override
  public void copyToHost(long to, long from, long bytes, Queue queue) {
    makeCurrent();
    checkCopy(
        "cuMemcpyDtoHAsync",
        bytes,
        JCudaDriver.cuMemcpyDtoHAsync(host(to), device(from), bytes, of(queue)));
  }

  @Override
  public void copyOnDevice(long to, long from, long bytes, Queue queue) {
    makeCurrent();
    checkCopy(
        "cuMemcpyDtoDAsync",
        bytes,
        JCudaDriver.cuMemcpyDtoDAsync(device(to), device(from), bytes, of(queue)));
  }

  /** The message is made where it is needed: there are thousands of copies in a second. */
  private static void checkCopy(String call, long bytes, int status) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw new CudaException("%s of %d bytes".formatted(call, bytes), status);
    }
  }

  @Override
  public void clear(long address, int ints, Queue queue) {
    makeCurrent();
    CudaException.check(
        "cuMemsetD32Async", JCudaDriver.cuMemsetD32Async(device(address), 0, ints, of(queue)));
  }

  @Override
  public Module load(String name, byte[] image) {
    makeCurrent();
    JcudaModule module = new JcudaModule();
    CudaException.check("cuModuleLoadData of " + name, JCudaDriver.cuModuleLoadData(module, image));
    return module;
  }

  @Override
  public void unload(Module module) {
    makeCurrent();
    CudaException.check("cuModuleUnload", JCudaDriver.cuModuleUnload((JcudaModule) module));
  }

  @Override
  public Function function(Module module, String name) {
    makeCurrent();
    JcudaFunction function = new JcudaFunction();
    CudaException.check(
        "cuModuleGetFunction of " + name,
        JCudaDriver.cuModuleGetFunction(function, (JcudaModule) module, name));
    return function;
  }

  @Override
  public void launch(
      Function function,
      String name,
      Grid grid,
      int threads,
      int sharedBytes,
      Queue queue,
      MemorySegment parameters) {
    makeCurrent();
    int status =
        library.launch(
            ((JcudaFunction) function).value(),
            grid,
            threads,
            sharedBytes,
            address(queue),
            parameters);
    if (status != CUresult.CUDA_SUCCESS) {
      throw new CudaException(
          "cuLaunchKernel of %s over %d x %d blocks of %d threads with %d bytes each"
              .formatted(name, grid.first(), grid.second(), threads, sharedBytes),
          status);
    }
  }

  @Override
  public long address(Queue queue) {
    return ((JcudaQueue) queue).value();
  }

  @Override
  public void makeCurrent() {
    CudaException.check("cuCtxSetCurrent", library.setCurrent(context.value()));
  }

  @Override
  public void close() {
    CudaException.check("cuDevicePrimaryCtxRelease", JCudaDriver.cuDevicePrimaryCtxRelease(device));
  }

  private static CUdeviceptr device(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  private static Pointer host(long address) {
    return new HostAddress(address);
  }

  private static CUstream of(Queue queue) {
    return (JcudaQueue) queue;
  }

  private static CUevent of(Mark mark) {
    return (JcudaMark) mark;
  }

  /** Gives away the number inside. */
  private static final class DeviceAddress extends CUdeviceptr {
    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Made of a number. */
  private static final class HostAddress extends Pointer {
    HostAddress(long address) {
      super(address);
    }
  }

  private static final class JcudaContext extends CUcontext {
    long value() {
      return getNativePointer();
    }
  }

  private static final class JcudaQueue extends CUstream implements Queue {
    long value() {
      return getNativePointer();
    }
  }

  private static final class JcudaMark extends CUevent implements Mark {}

  private static final class JcudaModule extends CUmodule implements Module {}

  private static final class JcudaFunction extends CUfunction implements Function {
    long value() {
      return getNativePointer();
    }
  }
}
