package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * How fast all cores together read host memory, and one of them copies it. To read they compare
 * equal regions, which is all reading and which Java does with the widest vectors there are.
 */
final class HostReads implements AutoCloseable {
  private final int cores;
  private final long half;
  private final PinnedBuffer buffer;
  private final MemorySegment all;

  /**
   * @param bytes gone through, so that no cache holds it
   */
  HostReads(Device device, int cores, long bytes) {
    this.cores = cores;
    half = bytes / 2 / cores / 64 * 64;
    buffer = device.allocatePinned("measuring", bytes());
    all = buffer.segment().fill((byte) 1);
  }

  /** Bytes that are gone through each time. */
  long bytes() {
    return 2 * half * cores;
  }

  /** All cores read everything so many times. */
  void read(int count) {
    List<Runnable> tasks = new ArrayList<>();
    for (int i = 0; i < cores; i++) {
      long offset = 2 * half * i;
      tasks.add(() -> compare(all, offset, half, count));
    }
    Crew.run("offload-profile-reads", tasks);
  }

  /** One core reads one half and writes the other so many times, which is less than it reads. */
  void copy(int count) {
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(all, 0, all, half * cores, half * cores);
    }
  }

  @Override
  public void close() {
    buffer.close();
  }

  private static void compare(MemorySegment all, long offset, long half, int count) {
    for (int i = 0; i < count; i++) {
      long different =
          MemorySegment.mismatch(all, offset, offset + half, all, offset + half, offset + 2 * half);
      if (different >= 0) {
        throw new IllegalStateException("memory changed at byte " + (offset + different));
      }
    }
  }
}
