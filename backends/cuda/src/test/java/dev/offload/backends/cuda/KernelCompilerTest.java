package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.cuda.FakeContext.FakeCompiler;
import dev.offload.backends.kernels.ProgramCache;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KernelCompilerTest {
  @TempDir Path folder;

  private KernelCompiler compiler(FakeCompiler compiler, int architecture) {
    return new KernelCompiler(compiler, new ProgramCache(folder), architecture);
  }

  @Test
  void shouldCompileForTheDeviceWithoutFusing() {
    FakeCompiler nvrtc = new FakeCompiler("NVRTC 13.0", 75, 90, 120);
    compiler(nvrtc, 90).image("rope", List.of("A=1"));
    assertEquals(
        List.of("rope.cu [--gpu-architecture=sm_90, --fmad=false, -DA=1]"), nvrtc.compiled);
  }

  @Test
  void shouldLeaveNewerDevicesToTheDriver() {
    FakeCompiler nvrtc = new FakeCompiler("NVRTC 12.2", 75, 80, 90);
    compiler(nvrtc, 120).image("rope", List.of());
    assertTrue(nvrtc.compiled.getFirst().contains("=compute_90"), nvrtc.compiled::getFirst);
  }

  @Test
  void shouldRefuseDevicesThatNvrtcHasGivenUp() {
    IllegalStateException refusal =
        assertThrows(
            IllegalStateException.class,
            () -> compiler(new FakeCompiler("NVRTC 13.0", 75, 90), 70));
    assertTrue(refusal.getMessage().contains("NVRTC 13.0"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("7.0"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("install an older NVRTC"), refusal::getMessage);
  }

  @Test
  void shouldCompileOnceForEachThingThatMatters() {
    FakeCompiler nvrtc = new FakeCompiler("NVRTC 13.0", 80, 90);
    byte[] image = compiler(nvrtc, 90).image("rope", List.of());
    assertArrayEquals(image, compiler(nvrtc, 90).image("rope", List.of()));
    assertEquals(1, nvrtc.compiled.size());
    compiler(nvrtc, 80).image("rope", List.of());
    compiler(nvrtc, 90).image("rope", List.of("A=1"));
    compiler(nvrtc, 90).image("norm", List.of());
    assertEquals(4, nvrtc.compiled.size());
    FakeCompiler newer = new FakeCompiler("NVRTC 13.1", 80, 90);
    compiler(newer, 90).image("rope", List.of());
    assertEquals(1, newer.compiled.size());
  }

  @Test
  void shouldShowTheCompilersWords() {
    KernelCompiler broken = compiler(new FakeCompiler("NVRTC 13.0", 90), 90);
    IllegalStateException refusal =
        assertThrows(IllegalStateException.class, () -> broken.image("rope", List.of("BROKEN=1")));
    assertTrue(refusal.getMessage().contains("rope.cl"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("identifier is undefined"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("sm_90"), refusal::getMessage);
  }
}
