package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceDescription.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeviceFinderTest {
  private static final FakeBackend CPU = new FakeBackend("cpu").with(Kind.PROCESSOR, 1000);

  @Test
  void shouldTakeTheGpuWithTheMostMemoryOfItsOwn() throws RefusedException {
    FakeBackend opencl =
        new FakeBackend("opencl")
            .with(Kind.PROCESSOR, 900)
            .with(Kind.GPU, 20)
            .with(Kind.INTEGRATED_GPU, 500)
            .with(Kind.GPU, 40)
            .with(Kind.GPU, 40);
    assertEquals("opencl:3", finder(opencl, CPU).find("auto").label());
  }

  @Test
  void shouldReachAGpuThroughItsOwnBackend() throws RefusedException {
    FakeBackend opencl = new FakeBackend("opencl").with(Kind.GPU, 81);
    FakeBackend cuda = new FakeBackend("cuda").with(Kind.GPU, 80);
    assertEquals("cuda:0", finder(CPU, opencl, cuda).find("auto").label());
    assertEquals("opencl:0", finder(CPU, opencl, cuda.unusable("no driver")).find("auto").label());
  }

  @Test
  void shouldComputeOnTheProcessorWhereNoGpuHasMemoryOfItsOwn() throws RefusedException {
    FakeBackend opencl =
        new FakeBackend("opencl").with(Kind.PROCESSOR, 900).with(Kind.INTEGRATED_GPU, 900);
    assertEquals("cpu:0", finder(opencl, CPU).find("auto").label());
    assertEquals("opencl:1", finder(opencl, CPU).find("opencl:1").label());
    assertEquals("opencl:0", finder(opencl, CPU).find("opencl").label());
  }

  @Test
  void shouldAskNoDriverWhereTheKernelHasNoGpu() throws RefusedException {
    FakeBackend untouchable =
        new FakeBackend("opencl") {
          @Override
          public Optional<String> unusableReason() {
            throw new AssertionError("asked");
          }
        };
    DeviceFinder finder = new DeviceFinder(List.of(untouchable, CPU), false);
    assertEquals("cpu:0", finder.find("auto").label());
  }

  @Test
  void shouldSayWhyADeviceCannotBeUsed() {
    DeviceFinder finder =
        finder(CPU, new FakeBackend("opencl").unusable("install ocl-icd-libopencl1"));
    assertRefused(finder, "opencl:0", "install ocl-icd-libopencl1");
    assertRefused(finder, "cpu:1", "cpu:0, cpu device 0");
    assertRefused(finder, "cpu:", "no device ''");
    assertRefused(finder, "vulkan:0", "[cpu, opencl]");
  }

  private static void assertRefused(DeviceFinder finder, String name, String part) {
    RefusedException refusal = assertThrows(RefusedException.class, () -> finder.find(name));
    assertTrue(refusal.getMessage().contains(part), refusal::getMessage);
  }

  @Test
  void shouldKnowTheFilesThatStandForGpus(@TempDir Path devices) throws IOException {
    assertFalse(GpuNodes.mayHaveGpu(devices));
    Path dri = Files.createDirectory(devices.resolve("dri"));
    Files.createFile(dri.resolve("card0"));
    assertFalse(GpuNodes.mayHaveGpu(devices));
    Files.createFile(dri.resolve("renderD128"));
    assertTrue(GpuNodes.mayHaveGpu(devices));
  }

  private static DeviceFinder finder(FakeBackend... backends) {
    return new DeviceFinder(List.of(backends), true);
  }
}
