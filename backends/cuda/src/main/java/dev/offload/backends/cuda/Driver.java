package dev.offload.backends.cuda;

import java.lang.foreign.MemorySegment;

/**
 * The calls of the CUDA driver that are used, on the device and the context of which it was opened.
 * All may be made on any thread; each throws {@link CudaException}. Addresses are plain numbers.
 * Thread-safe.
 */
interface Driver extends AutoCloseable {

  /** A CUstream. */
  interface Queue {}

  /** A CUevent, which knows when it was reached. */
  interface Mark {}

  /** A CUmodule. */
  interface Module {}

  /** A CUfunction. */
  interface Function {}

  /**
   * What the device is.
   *
   * @param name as NVIDIA names it
   * @param architecture compute capability: 90 for 9.0
   * @param driverVersion of CUDA, as the driver counts: 13000 for 13.0
   * @param multiprocessors that compute in parallel
   * @param threadsPerBlock at most
   * @param sharedBytesPerBlock at most, unless a kernel asks for more
   * @param memoryBytes all of its memory
   * @param pinsReadOnly whether it pins memory that may only be read
   */
  record Facts(
      String name,
      int architecture,
      int driverVersion,
      int multiprocessors,
      int threadsPerBlock,
      int sharedBytesPerBlock,
      long memoryBytes,
      boolean pinsReadOnly) {}

  Facts facts();

  /** Bytes of device memory that nobody uses. */
  long freeBytes();

  /**
   * Bytes of device memory that opening the context took from those that were free, or, where that
   * cannot be measured, all that is in use.
   */
  long contextBytes();

  /** Allocates device memory, at a boundary of 512 bytes or more. */
  long allocate(long bytes);

  void free(long address);

  /** Pins host memory: page boundaries. */
  void register(long address, long bytes);

  /** The same for memory that may only be read, such as the mapping of a file. */
  void registerReadOnly(long address, long bytes);

  void unregister(long address);

  /** A queue that does not wait for others. */
  Queue newQueue();

  void destroy(Queue queue);

  Mark newMark();

  void destroy(Mark mark);

  /** Puts the mark behind all that is in the queue. */
  void record(Mark mark, Queue queue);

  /** What comes into the queue from now on waits for the mark. */
  void await(Queue queue, Mark mark);

  boolean isReached(Mark mark);

  /** Blocks until the mark is reached, without keeping a core busy. */
  void synchronize(Mark mark);

  /** Milliseconds between two marks that are reached. */
  float elapsedMillis(Mark from, Mark to);

  /** Blocks until the queue is empty. */
  void synchronize(Queue queue);

  void copyToDevice(long to, long from, long bytes, Queue queue);

  void copyToHost(long to, long from, long bytes, Queue queue);

  void copyOnDevice(long to, long from, long bytes, Queue queue);

  /** Writes zeros. */
  void clear(long address, int ints, Queue queue);

  /**
   * Loads a program.
   *
   * @param name in messages
   * @param image cubin, or PTX with a zero behind
   */
  Module load(String name, byte[] image);

  void unload(Module module);

  Function function(Module module, String name);

  /**
   * Enqueues a kernel.
   *
   * @param name in messages
   * @param grid blocks in the first and in the second dimension
   * @param threads per block
   * @param sharedBytes of memory per block
   * @param parameters addresses of the arguments
   */
  void launch(
      Function function,
      String name,
      Grid grid,
      int threads,
      int sharedBytes,
      Queue queue,
      MemorySegment parameters);

  /** Blocks in the first and in the second dimension. */
  record Grid(int first, int second) {}

  /** The queue as libraries know it, a CUstream. */
  long address(Queue queue);

  /** Makes the context that of the calling thread, as libraries want it. */
  void makeCurrent();

  /** Gives the context back. Everything else has been released. */
  @Override
  void close();
}
