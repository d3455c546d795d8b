package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertEquals;
import static dev.offload.backends.conformance.Assertions.assertThrows;
import static dev.offload.backends.conformance.Assertions.assertTrue;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.HostMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;

/** Budgets, alignment and the life of memory. */
interface MemoryConformance extends ConformanceTopic {
  int BUDGET = 1 << 20;

  private Device small() {
    return open(new DeviceOptions(0, BUDGET, BUDGET, threads()));
  }

  @Check
  default void shouldKeepTheDeviceBudget() {
    try (Device device = small()) {
      DeviceBuffer half = device.allocate("half", BUDGET / 2);
      MemoryBudgetException refusal =
          assertThrows(
              MemoryBudgetException.class, () -> device.allocate("the rest", BUDGET / 2 + 1));
      assertTrue(refusal.getMessage().contains("the rest"), refusal::getMessage);
      try (DeviceBuffer rest = device.allocate("the rest", BUDGET / 2)) {
        assertEquals(BUDGET / 2, rest.bytes());
        assertEquals(BUDGET, device.allocatedBytes());
        assertThrows(MemoryBudgetException.class, () -> device.allocate("one more", 1));
      }
      assertEquals(BUDGET / 2, device.allocatedBytes());
      half.close();
      assertEquals(0, device.allocatedBytes());
      assertEquals(BUDGET, device.peakBytes());
      device.allocate("all", BUDGET).close();
    }
  }

  @Check
  default void shouldKeepThePinnedBudget() {
    try (Device device = small()) {
      PinnedBuffer most = device.allocatePinned("most", BUDGET - 1);
      assertThrows(MemoryBudgetException.class, () -> device.allocatePinned("too much", 2));
      assertEquals(BUDGET - 1, device.allocatedPinnedBytes());
      assertEquals(0, device.allocatedBytes());
      most.close();
      assertEquals(0, device.allocatedPinnedBytes());
      assertEquals(BUDGET - 1, device.peakPinnedBytes());
    }
  }

  @Check
  default void shouldGiveAlignedZeroedPinnedMemory() {
    try (Device device = small()) {
      for (int bytes : new int[] {1, 4095, 4096, 100_000}) {
        PinnedBuffer buffer = device.allocatePinned("test", bytes);
        assertEquals(0, buffer.segment().address() % 4096);
        assertEquals(bytes, buffer.bytes());
        for (int i = 0; i < bytes; i++) {
          assertEquals(0, buffer.segment().get(JAVA_BYTE, i));
        }
        buffer.segment().fill((byte) 1);
        buffer.close();
      }
    }
  }

  @Check
  default void shouldRefuseSizesBelowZero() {
    try (Device device = small()) {
      assertThrows(IllegalArgumentException.class, () -> device.allocate("nothing", -1));
      assertThrows(IllegalArgumentException.class, () -> device.allocatePinned("nothing", -1));
      assertEquals(0, device.peakBytes());
    }
  }

  @Check
  default void shouldWrapPinnedMemoryWhereItIsShared() {
    try (Device device = small();
        PinnedBuffer pinned = device.allocatePinned("test", 1000)) {
      if (!device.facts().sharesHostMemory()) {
        assertThrows(IllegalStateException.class, () -> device.wrap(pinned));
        return;
      }
      try (Stream stream = device.newStream("test");
          PinnedBuffer copy = device.allocatePinned("copy", 1000);
          DeviceBuffer view = device.wrap(pinned)) {
        assertEquals(0, device.allocatedBytes());
        assertEquals(1000, view.bytes());
        pinned.segment().set(JAVA_BYTE, 999, (byte) 42);
        stream.copyToHost(view, 0, copy, 0, 1000);
        stream.synchronize();
        assertEquals(42, copy.segment().get(JAVA_BYTE, 999));
      }
    }
  }

  @Check
  default void shouldCopyFromFilesWhereTheyAreMapped() throws IOException {
    byte[] numbers = new byte[BUDGET / 2 + 1001];
    new Random(7).nextBytes(numbers);
    Path file = Files.createTempFile("offload-mapped", ".bin");
    try (Arena arena = Arena.ofShared()) {
      Files.write(file, numbers);
      MemorySegment mapped;
      try (FileChannel channel = FileChannel.open(file)) {
        mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, numbers.length, arena);
      }
      try (Device device = small()) {
        Optional<PinnedBuffer> pinned = device.tryPin("mapped", mapped);
        assertEquals(
            pinned.isPresent() ? HostMemory.wholePages(numbers.length) : 0,
            device.allocatedPinnedBytes());
        pinned.ifPresent(buffer -> copyBackAndForth(device, buffer, numbers));
        assertEquals(0, device.allocatedPinnedBytes());
        assertEquals(numbers[0], mapped.get(JAVA_BYTE, 0));
      }
    } finally {
      Files.delete(file);
    }
  }

  private static void copyBackAndForth(Device device, PinnedBuffer mapped, byte[] numbers) {
    try (mapped;
        Stream stream = device.newStream("test");
        DeviceBuffer buffer = device.allocate("copy", numbers.length);
        PinnedBuffer back = device.allocatePinned("back", 5000)) {
      assertEquals(numbers.length, mapped.bytes());
      assertThrows(MemoryBudgetException.class, () -> device.tryPin("once more", mapped.segment()));
      assertThrows(
          IllegalArgumentException.class,
          () -> device.tryPin("no page", mapped.segment().asSlice(64)));
      for (int from : new int[] {0, 1, 4095, 4098, numbers.length - 5000}) {
        stream.copyToDevice(mapped, from, buffer, 192, 5000);
        stream.copyToHost(buffer, 192, back, 0, 5000);
        stream.synchronize();
        for (int i = 0; i < 5000; i++) {
          assertEquals(numbers[from + i], back.segment().get(JAVA_BYTE, i));
        }
      }
    }
  }

  @Check
  default void shouldTellWhatItIs() {
    try (Device device = small()) {
      assertEquals(BUDGET, device.facts().memoryBytes());
      assertTrue(device.facts().computeUnits() >= 1);
      assertTrue(!device.facts().name().isBlank());
    }
  }
}
