package dev.offload.backends.cuda;

import dev.offload.backends.kernels.Failure;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Places in pinned memory where the status of a stream is copied to. Thread-safe. */
final class StatusSlots implements AutoCloseable {
  static final long SLOT_BYTES = 4L * Failure.STATUS_INTS;

  /** A page: enough for the events that are pending at a time in most cases. */
  private static final long BLOCK_BYTES = 4096;

  private final PinnedMemory memory;
  private final List<CudaPinnedBuffer> blocks = new ArrayList<>();
  private final Deque<MemorySegment> idle = new ArrayDeque<>();

  StatusSlots(PinnedMemory memory) {
    this.memory = memory;
  }

  /** A place for {@link Failure#STATUS_INTS} integers. */
  synchronized MemorySegment take() {
    if (idle.isEmpty()) {
      CudaPinnedBuffer block = memory.allocate("the status of streams", BLOCK_BYTES, () -> {});
      blocks.add(block);
      for (long at = 0; at < BLOCK_BYTES; at += SLOT_BYTES) {
        idle.push(block.segment().asSlice(at, SLOT_BYTES));
      }
    }
    return idle.pop();
  }

  synchronized void give(MemorySegment slot) {
    idle.push(slot);
  }

  @Override
  public synchronized void close() {
    idle.clear();
    blocks.forEach(CudaPinnedBuffer::close);
    blocks.clear();
  }
}
