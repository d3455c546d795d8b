package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * How fast all cores together read host memory, and one of them copies it. To read they compare
 * equal regions, which is all reading and which Java does with the widest vectors there are.
 */
final class HostReads {
  private HostReads() {}

  /**
   * Bytes per second.
   *
   * @param bytes gone through, so that no cache holds it
   */
  static double bytesPerSecond(Device device, int cores, long bytes, Sampler sampler) {
    long half = bytes / 2 / cores / 64 * 64;
    try (PinnedBuffer buffer = device.allocatePinned("measuring", 2 * half * cores)) {
      MemorySegment all = buffer.segment().fill((byte) 1);
      IntConsumer read =
          count -> {
            List<Runnable> tasks = new ArrayList<>();
            for (int i = 0; i < cores; i++) {
              long offset = 2 * half * i;
              tasks.add(() -> compare(all, offset, half, count));
            }
            Crew.run("offload-profile-reads", tasks);
          };
      double warmUp = sampler.perItem(read);
      double seconds = Math.min(warmUp, sampler.perItem(read));
      return 2 * half * cores / seconds;
    }
  }

  /**
   * Bytes per second that one core reads and writes while it copies, which is less than it reads.
   *
   * @param bytes gone through, so that no cache holds it
   */
  static double copiedBytesPerSecond(Device device, long bytes, Sampler sampler) {
    long half = bytes / 2 / 64 * 64;
    try (PinnedBuffer buffer = device.allocatePinned("measuring", 2 * half)) {
      MemorySegment all = buffer.segment().fill((byte) 1);
      IntConsumer copy =
          count -> {
            for (int i = 0; i < count; i++) {
              MemorySegment.copy(all, 0, all, half, half);
            }
          };
      double warmUp = sampler.perItem(copy);
      double seconds = Math.min(warmUp, sampler.perItem(copy));
      return 2 * half / seconds;
    }
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
