package dev.offload.backends.cuda;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.HostMemory;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Host memory that the driver pins piece by piece, so that a limit leaves the rest of it usable:
 * what cannot be pinned is copied slower, and a warning says so once. Thread-safe.
 */
final class PinnedMemory {
  private static final System.Logger LOGGER = System.getLogger(PinnedMemory.class.getName());

  /** Bytes pinned by one call. No copy may cross from one into the next. */
  static final long PIECE_BYTES = 1L << 30;

  private final Driver driver;
  private final HostMemory memory = HostMemory.open();
  private final long pieceBytes;
  private final AtomicBoolean warned = new AtomicBoolean();

  PinnedMemory(Driver driver) {
    this(driver, PIECE_BYTES);
  }

  /**
   * @param pieceBytes instead of {@link #PIECE_BYTES}; a multiple of 4096
   */
  PinnedMemory(Driver driver, long pieceBytes) {
    this.driver = driver;
    this.pieceBytes = pieceBytes;
  }

  /** How far a copy may go from an offset in a buffer without leaving its piece. */
  long withinPiece(long offset, long bytes) {
    return Math.min(bytes, pieceBytes - offset % pieceBytes);
  }

  /**
   * Zeroed memory at page boundaries.
   *
   * @param onClose run behind its release
   */
  CudaPinnedBuffer allocate(String purpose, long bytes, Runnable onClose) {
    Arena arena = Arena.ofShared();
    Deque<Long> pinned = new ArrayDeque<>();
    try {
      MemorySegment segment = memory.allocate(Math.max(1, bytes), arena);
      pin(purpose, segment, pinned);
      return new CudaPinnedBuffer(
          segment.asSlice(0, bytes),
          () -> {
            unpin(pinned);
            arena.close();
            onClose.run();
          });
    } catch (RuntimeException | Error e) {
      unpin(pinned);
      arena.close();
      throw e;
    }
  }

  /**
   * Memory that somebody else has, read-only: all of it or nothing.
   *
   * @param memory begins at a page
   * @param onClose run when it is pinned no more
   * @throws CudaException if it cannot be pinned
   */
  CudaPinnedBuffer pinReadOnly(MemorySegment memory, Runnable onClose) {
    Deque<Long> pinned = new ArrayDeque<>();
    try {
      for (long at = 0; at < memory.byteSize(); at += pieceBytes) {
        long address = memory.address() + at;
        driver.registerReadOnly(address, Math.min(pieceBytes, memory.byteSize() - at));
        pinned.push(address);
      }
    } catch (RuntimeException | Error e) {
      unpin(pinned);
      throw e;
    }
    return new CudaPinnedBuffer(
        memory,
        () -> {
          unpin(pinned);
          onClose.run();
        });
  }

  private void pin(String purpose, MemorySegment segment, Deque<Long> pinned) {
    long bytes = segment.byteSize();
    for (long at = 0; at < bytes; at += pieceBytes) {
      long address = segment.address() + at;
      try {
        driver.register(address, Math.min(pieceBytes, bytes - at));
        pinned.push(address);
      } catch (CudaException e) {
        if (e.isSticky()) {
          throw e;
        }
        warn(purpose, at, bytes, e);
        return;
      }
    }
  }

  private void warn(String purpose, long pinned, long bytes, CudaException cause) {
    if (warned.compareAndSet(false, true)) {
      LOGGER.log(
          Level.WARNING,
          "only {0} of the {1} of host memory for {2} could be pinned; copies from and to the rest take several "
              + "times as long. Raise the limit of locked memory (ulimit -l unlimited; docker run --ulimit "
              + "memlock=-1) or ask for less --host-memory. {3}",
          ByteSize.format(pinned),
          ByteSize.format(bytes),
          purpose,
          cause.failure());
    }
  }

  private void unpin(Deque<Long> pinned) {
    while (!pinned.isEmpty()) {
      long address = pinned.pop();
      Releases.run("pinned memory", () -> driver.unregister(address));
    }
  }
}
