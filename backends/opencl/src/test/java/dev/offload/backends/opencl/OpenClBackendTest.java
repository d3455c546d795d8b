package dev.offload.backends.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.backends.api.Stream;
import dev.offload.backends.kernels.KernelLauncher;
import dev.offload.backends.kernels.KernelLauncher.Limits;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class OpenClBackendTest {
  private final OpenClBackend backend = new OpenClBackend();
  private DeviceHandle first;

  @BeforeEach
  void findDevice() {
    first = OpenClOrSkip.firstDevice();
  }

  @Test
  void shouldOpenADevice() {
    assertEquals(Optional.empty(), backend.unusableReason());
    try (Device device = backend.open(new DeviceOptions(0, 1 << 20, 1 << 20, 1))) {
      assertEquals(first.name(), device.facts().name());
      assertTrue(device.facts().details().contains("OpenCL"), device.facts().details());
    }
  }

  @Test
  void shouldDescribeItsDevices() {
    DeviceDescription described = backend.devices().getFirst();
    assertEquals(0, described.index());
    assertEquals(first.name(), described.name());
    assertEquals(first.memoryBytes(), described.memoryBytes());
    assertEquals(first.isProcessor(), described.kind() == DeviceDescription.Kind.PROCESSOR);
    assertThrows(
        IllegalArgumentException.class,
        () -> backend.open(new DeviceOptions(backend.devices().size(), 1, 1, 1)));
  }

  @Test
  void shouldTakeWhatIsSaidOfLocalMemory() {
    Limits device = new Limits(64, 1024, true, 2, false);
    Limits dedicated = new Limits(64, 1024, true, 2, true);
    assertEquals(device, OpenClBackend.limits(device, Optional.empty()));
    assertEquals(dedicated, OpenClBackend.limits(device, Optional.of("true")));
    assertEquals(device, OpenClBackend.limits(dedicated, Optional.of("false")));
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class, () -> OpenClBackend.limits(device, Optional.of("no")));
    assertTrue(refusal.getMessage().contains("'no'"), refusal::getMessage);
  }

  @Test
  void shouldRefuseDevicesThatAreNotThere() {
    DeviceOptions options = new DeviceOptions(99, 1 << 20, 1 << 20, 1);
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> backend.open(options));
    assertTrue(refusal.getMessage().contains("99"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains(first.name()), refusal::getMessage);
  }

  @Test
  void shouldRefuseBudgetsThatTheDeviceDoesNotHave() {
    DeviceOptions options = new DeviceOptions(0, first.memoryBytes() + 1, 0, 1);
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> backend.open(options));
    assertTrue(refusal.getMessage().contains("" + first.memoryBytes()), refusal::getMessage);
  }

  @Test
  void shouldTakeScratchFromTheBudgetWhileAStreamComputes() {
    DeviceOptions options = new DeviceOptions(0, 100 << 20, 1 << 20, 1);
    try (Device device = backend.open(options)) {
      KernelLauncher launcher = (KernelLauncher) device;
      long scratch = device.operations().scratchBytes(null);
      assertTrue(scratch > 0, "plans leave nothing for it");
      try (Stream stream = device.newStream("one");
          Stream second = device.newStream("two")) {
        assertEquals(0, device.allocatedBytes(), "no stream has computed yet");
        launcher.scratch(stream);
        assertEquals(scratch, device.allocatedBytes());
        launcher.scratch(stream);
        assertEquals(scratch, device.allocatedBytes(), "it is kept");
        MemoryBudgetException refusal =
            assertThrows(MemoryBudgetException.class, () -> launcher.scratch(second));
        assertTrue(refusal.getMessage().contains("stream 'two'"), refusal::getMessage);
      }
      assertEquals(0, device.allocatedBytes(), "streams gave it back");
    }
  }

  @Test
  void shouldRefuseEventsOfADeviceOpenedApart() {
    DeviceOptions options = new DeviceOptions(0, 1 << 20, 1 << 20, 1);
    try (Device one = backend.open(options);
        Device other = backend.open(options);
        Stream stream = one.newStream("one");
        Stream foreign = other.newStream("other")) {
      Event event = foreign.record();
      assertThrows(IllegalArgumentException.class, () -> stream.await(event));
    }
  }
}
