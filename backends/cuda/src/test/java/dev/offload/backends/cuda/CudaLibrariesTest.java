package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CudaLibrariesTest {
  @TempDir Path root;

  private Path file(String path) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "not a library");
  }

  private Optional<Path> find(String configured, Map<String, String> environment, int driver) {
    return CudaLibraries.of(configured, environment, root.resolve("home")).find("cublas", driver);
  }

  @Test
  void shouldTakeTheUsersFolderFirst() throws IOException {
    Path mine = file("mine/libcublas.so.13");
    Path home = file("cuda/lib64/libcublas.so.13");
    Path loader = file("loader/libcublas.so.13");
    Path wheel = file("home/.local/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
    String toolkit = root.resolve("cuda").toString();
    Map<String, String> environment =
        Map.of("CUDA_HOME", toolkit, "LD_LIBRARY_PATH", "::" + root.resolve("loader"));
    assertEquals(mine, find(root.resolve("mine").toString(), environment, 13_000).orElseThrow());
    assertEquals(home, find("", environment, 13_000).orElseThrow());
    assertEquals(home, find("", Map.of("CUDA_PATH", toolkit), 13_000).orElseThrow());
    Files.delete(home);
    assertEquals(loader, find("", environment, 13_000).orElseThrow());
    Files.delete(loader);
    assertEquals(wheel, find("", environment, 13_000).orElseThrow());
  }

  @Test
  void shouldFindWheelsOfVirtualEnvironments() throws IOException {
    Path wheel = file("venv/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12");
    Map<String, String> environment = Map.of("VIRTUAL_ENV", root.resolve("venv").toString());
    assertEquals(wheel, find("", environment, 13_000).orElseThrow());
  }

  /** As images of containers have it: on the PATH, or a link to it, and nothing is active. */
  @Test
  void shouldFindWheelsOfThePythonOnThePath() throws IOException {
    Path wheel = file("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
    Path python = file("venv/bin/python3");
    assertTrue(python.toFile().setExecutable(true));
    Map<String, String> environment = Map.of("PATH", "/nowhere:" + python.getParent());
    assertEquals(wheel, find("", environment, 13_000).orElseThrow());
    Path links = Files.createDirectories(root.resolve("links/bin"));
    Files.createSymbolicLink(links.resolve("python3"), python);
    assertEquals(wheel, find("", Map.of("PATH", links.toString()), 13_000).orElseThrow());
  }

  @Test
  void shouldTakeTheNewestThatTheDriverKnows() throws IOException {
    Path old = file("a/libcublas.so.12");
    Path young = file("b/libcublas.so.13");
    String both = root.resolve("a") + ":" + root.resolve("b");
    assertEquals(young, find(both, Map.of(), 13_000).orElseThrow());
    assertEquals(old, find(both, Map.of(), 12_080).orElseThrow());
    assertEquals(Optional.empty(), find(both, Map.of(), 11_080));
    assertEquals(List.of("libnvrtc.so.13", "libnvrtc.so.12"), CudaLibraries.names("nvrtc", 13_000));
  }

  @Test
  void shouldNameWhatThereIsWhereThereIsNoDriver() throws IOException {
    Path file = file("a/libcublas.so.12");
    CudaLibraries libraries = new CudaLibraries(List.of(root.resolve("a")));
    assertEquals("nvrtc is not found and cublas is " + file, CudaMachine.found(libraries));
  }

  @Test
  void shouldSayWhichFileDoesNotLoad() throws IOException {
    Path file = file("a/libcublas.so.13");
    CudaLibraries libraries = new CudaLibraries(List.of(root.resolve("a")));
    IllegalStateException refusal =
        assertThrows(
            IllegalStateException.class, () -> libraries.open("cublas", 13_000, List.of()));
    assertTrue(refusal.getMessage().contains(file.toString()), refusal::getMessage);
  }
}
