package dev.offload.backends.opencl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.kernels.KernelSource;
import dev.offload.backends.kernels.ProgramCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lwjgl.opencl.CL10;

final class ProgramBuilderTest {
  @TempDir Path folder;
  private DeviceHandle device;
  private OpenClContext context;
  private ProgramBuilder builder;

  @BeforeEach
  void open() {
    device = OpenClOrSkip.firstDevice();
    ProgramCache cache = new ProgramCache(folder);
    context = OpenClContext.open(device);
    builder = new ProgramBuilder(device, context.handle(), Optional.of(cache));
  }

  @AfterEach
  void close() {
    if (context != null) {
      context.close();
    }
  }

  @Test
  void shouldShowSourceLineAndDeviceOfErrors() {
    String good = KernelSource.of("rope", KernelSource.Language.OPENCL_C);
    String broken = good.replace("int pairs = dimensions / 2;", "int pairs = dimensionz / 2;");
    IllegalStateException refusal =
        assertThrows(IllegalStateException.class, () -> builder.build("rope", broken, ""));
    String message = refusal.getMessage();
    assertTrue(message.contains(device.name()), message);
    assertTrue(message.contains("dimensionz"), message);
    // The line as it stands in our file.
    assertTrue(message.contains("rope.cl:4: int pairs = dimensions / 2;"), message);
    assertEquals(List.of(), files());
  }

  @Test
  void shouldKeepProgramsInFiles() throws IOException {
    CL10.clReleaseProgram(builder.build("rope", List.of()));
    byte[] kept = Files.readAllBytes(files().getFirst());
    CL10.clReleaseProgram(builder.build("rope", List.of()));
    assertEquals(1, files().size());
    CL10.clReleaseProgram(builder.build("rope", List.of("A=1")));
    assertEquals(2, files().size());
    assertTrue(kept.length > 0);
  }

  @Test
  void shouldCompileAgainWhatTheDriverDoesNotTake() throws IOException {
    CL10.clReleaseProgram(builder.build("rope", List.of()));
    Path file = files().getFirst();
    byte[] damaged = "not a program".getBytes(UTF_8);
    Files.write(file, damaged);
    CL10.clReleaseProgram(builder.build("rope", List.of()));
    assertFalse(Arrays.equals(damaged, Files.readAllBytes(file)));
  }

  private List<Path> files() {
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
