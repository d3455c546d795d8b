package dev.offload.engine.kvcache;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.KvGroup;
import dev.offload.planner.KvGroup.Home;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of the KV cache: per group one run of blocks per layer, on the device or on the host,
 * and the slots through which host caches are streamed. Owns its buffers.
 */
public final class KvStore implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final KvBlocks.Format format;
  private final long blockBytes;
  private final List<KvGroup> groups;
  private final List<DeviceBuffer> deviceHomes = new ArrayList<>();
  private final List<PinnedBuffer> hostHomes = new ArrayList<>();
  private final List<DeviceBuffer> wrappedHomes = new ArrayList<>();
  private final List<DeviceBuffer> slots = new ArrayList<>();

  /**
   * Allocates all caches.
   *
   * @param host the device that attends on the host; used only for groups that are attended there
   * @throws dev.offload.backends.api.MemoryBudgetException if a budget does not suffice
   */
  public KvStore(
      Device device,
      Device host,
      KvBlocks.Format format,
      List<KvGroup> groups,
      int ringSlots,
      int layers) {
    this.format = format;
    this.groups = List.copyOf(groups);
    this.blockBytes = device.operations().kvBlockBytes(format);
    try {
      long largest = 0;
      for (int i = 0; i < groups.size(); i++) {
        KvGroup group = groups.get(i);
        long bytes = runBytes(group) * layers;
        String purpose = "KV cache of micro-batch " + i;
        boolean onDevice = group.home() == Home.DEVICE;
        deviceHomes.add(onDevice ? device.allocate(purpose, bytes) : null);
        hostHomes.add(onDevice ? null : device.allocatePinned(purpose, bytes));
        wrappedHomes.add(
            group.home() == Home.HOST_ATTENDED ? host.wrap(hostHomes.getLast()) : null);
        if (group.home() == Home.HOST_STREAMED) {
          largest = Math.max(largest, runBytes(group));
        }
      }
      for (int i = 0; i < ringSlots; i++) {
        slots.add(device.allocate("KV ring", largest));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Bytes of one layer's run of blocks. */
  public static long runBytes(long blockBytes, int blocks) {
    return (blockBytes * blocks + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private long runBytes(KvGroup group) {
    return runBytes(blockBytes, group.blocks());
  }

  /** The blocks that a device module reads and writes: at home, or in a ring slot. */
  public KvBlocks onDevice(int layer, int group, int slot) {
    int blocks = groups.get(group).blocks();
    return slot < 0
        ? new KvBlocks(deviceHomes.get(group), layer * runBytes(groups.get(group)), blocks, format)
        : new KvBlocks(slots.get(slot), 0, blocks, format);
  }

  /** The blocks that the host attends to. */
  public KvBlocks onHost(int layer, int group) {
    KvGroup of = groups.get(group);
    return new KvBlocks(wrappedHomes.get(group), layer * runBytes(of), of.blocks(), format);
  }

  /** Enqueues the copies of the given blocks of a layer from the host to a slot. */
  public void load(Stream stream, int layer, int group, int slot, BlockRuns runs) {
    long base = layer * runBytes(groups.get(group));
    runs.forEach(
        (first, count) ->
            stream.copyToDevice(
                hostHomes.get(group),
                base + first * blockBytes,
                slots.get(slot),
                first * blockBytes,
                count * blockBytes));
  }

  /** Enqueues the copies of the given blocks of a layer from a slot to the host. */
  public void store(Stream stream, int layer, int group, int slot, BlockRuns runs) {
    long base = layer * runBytes(groups.get(group));
    runs.forEach(
        (first, count) ->
            stream.copyToHost(
                slots.get(slot),
                first * blockBytes,
                hostHomes.get(group),
                base + first * blockBytes,
                count * blockBytes));
  }

  /**
   * Copies neighbouring blocks of a layer, at home, to a place on the host; may only enqueue it.
   */
  void copyOut(
      Stream stream, int layer, int group, int block, PinnedBuffer to, long toOffset, long bytes) {
    long home = layer * runBytes(groups.get(group)) + block * blockBytes;
    if (deviceHomes.get(group) != null) {
      stream.copyToHost(deviceHomes.get(group), home, to, toOffset, bytes);
    } else {
      MemorySegment.copy(hostHomes.get(group).segment(), home, to.segment(), toOffset, bytes);
    }
  }

  /** The way back. */
  void copyIn(
      Stream stream,
      int layer,
      int group,
      int block,
      PinnedBuffer from,
      long fromOffset,
      long bytes) {
    long home = layer * runBytes(groups.get(group)) + block * blockBytes;
    if (deviceHomes.get(group) != null) {
      stream.copyToDevice(from, fromOffset, deviceHomes.get(group), home, bytes);
    } else {
      MemorySegment.copy(from.segment(), fromOffset, hostHomes.get(group).segment(), home, bytes);
    }
  }

  public long blockBytes() {
    return blockBytes;
  }

  @Override
  public void close() {
    slots.forEach(DeviceBuffer::close);
    for (int i = 0; i < deviceHomes.size(); i++) {
      if (deviceHomes.get(i) != null) {
        deviceHomes.get(i).close();
      }
      if (i < wrappedHomes.size() && wrappedHomes.get(i) != null) {
        wrappedHomes.get(i).close();
      }
      if (i < hostHomes.size() && hostHomes.get(i) != null) {
        hostHomes.get(i).close();
      }
    }
    slots.clear();
    deviceHomes.clear();
  }
}
