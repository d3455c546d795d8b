package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class CpuBackendTest {
  private static final DeviceOptions OPTIONS = new DeviceOptions(0, 4 << 20, 1 << 20, 2);

  @Test
  void shouldBeFoundByName() {
    Backend found =
        ServiceLoader.load(Backend.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(backend -> backend.name().equals("cpu"))
            .findFirst()
            .orElseThrow();
    assertTrue(found.unusableReason().isEmpty());
  }

  @Test
  void shouldDescribeItsDevice() {
    DeviceDescription described = new CpuBackend().devices().getFirst();
    assertEquals(DeviceDescription.Kind.PROCESSOR, described.kind());
    assertEquals(0, described.index());
    assertTrue(described.memoryBytes() > 1 << 20, described::toString);
  }

  @Test
  void shouldSayWhatItIs() {
    try (Device device = new CpuBackend(MatrixProductChoice.VECTOR).open(OPTIONS)) {
      assertEquals(4 << 20, device.facts().memoryBytes());
      assertEquals(2, device.facts().computeUnits());
      assertTrue(device.facts().sharesHostMemory());
      assertTrue(device.facts().details().contains("Java"), device.facts().details());
    }
  }

  @Test
  void shouldChooseOneDnnWhereItRuns() {
    OpenDnnl.orSkip().close();
    try (Device device = new CpuBackend().open(OPTIONS)) {
      assertTrue(device.facts().details().contains("oneDNN"), device.facts().details());
    }
  }

  @Test
  void shouldRefuseOtherDevices() {
    assertThrows(
        IllegalArgumentException.class, () -> new CpuBackend().open(new DeviceOptions(1, 0, 0, 1)));
  }

  @Test
  void shouldCountAndLimitMemory() {
    try (Device device = new CpuBackend(MatrixProductChoice.VECTOR).open(OPTIONS)) {
      DeviceBuffer large = device.allocate("ring", 3 << 20);
      assertThrows(MemoryBudgetException.class, () -> device.allocate("cache", (1 << 20) + 1));
      large.close();
      large.close();
      assertEquals(0, device.allocatedBytes());
      try (DeviceBuffer all = device.allocate("all", 4 << 20);
          PinnedBuffer pinned = device.allocatePinned("staging", 1 << 20)) {
        assertEquals(4 << 20, all.bytes());
        assertEquals(1 << 20, pinned.bytes());
        assertEquals(4 << 20, device.allocatedBytes());
        assertEquals(1 << 20, device.allocatedPinnedBytes());
        assertThrows(MemoryBudgetException.class, () -> device.allocatePinned("more", 1));
      }
      assertEquals(4 << 20, device.peakBytes());
      assertEquals(1 << 20, device.peakPinnedBytes());
      assertEquals(0, device.allocatedPinnedBytes());
    }
  }

  @Test
  void shouldWrapPinnedMemoryWithoutCopyOrBudget() {
    try (Device device = new CpuBackend(MatrixProductChoice.VECTOR).open(OPTIONS);
        PinnedBuffer pinned = device.allocatePinned("weights", 64);
        DeviceBuffer wrapped = device.wrap(pinned)) {
      assertEquals(0, device.allocatedBytes());
      pinned.segment().set(ValueLayout.JAVA_INT, 8, 42);
      assertEquals(42, ((CpuBuffer) wrapped).segment().get(ValueLayout.JAVA_INT, 8));
    }
  }

  @Test
  void shouldReleaseWhatIsLeftOnClose() {
    Device device = new CpuBackend(MatrixProductChoice.VECTOR).open(OPTIONS);
    PinnedBuffer forgotten = device.allocatePinned("forgotten", 64);
    Stream stream = device.newStream("forgotten");
    MemorySegment segment = forgotten.segment();
    assertSame(segment, forgotten.segment());
    device.close();
    device.close();
    assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_INT, 0));
    assertThrows(IllegalStateException.class, stream::record);
    assertThrows(IllegalStateException.class, () -> device.allocate("late", 1));
    forgotten.close();
  }
}
