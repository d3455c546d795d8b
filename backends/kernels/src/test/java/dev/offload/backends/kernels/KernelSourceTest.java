package dev.offload.backends.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.kernels.KernelSource.Language;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KernelSourceTest {
  /** Compute capabilities: T4, A100, RTX 30, RTX 40 and L4, H100 and H200, B200, RTX 50. */
  private static final List<Integer> ARCHITECTURES = List.of(75, 80, 86, 89, 90, 100, 120);

  @Test
  void shouldNameFilesAndLinesForMessages() {
    String source = KernelSource.of("rope", Language.OPENCL_C);
    assertTrue(source.contains("#line 1 \"rope.cl\"\n" + KernelSource.line("rope.cl", 1)));
    assertEquals("", KernelSource.line("rope.cl", 10_000));
    assertThrows(
        IllegalArgumentException.class, () -> KernelSource.of("missing", Language.OPENCL_C));
  }

  /**
   * One source for both: what PoCL runs is what compilers of CUDA take, for every architecture from
   * Turing to Blackwell. PTX, because making machine code of it takes ten times as long.
   */
  @Test
  void shouldCompileAsCuda(@TempDir Path folder) throws IOException, InterruptedException {
    Optional<Path> nvcc = onPath("nvcc");
    Assumptions.assumeTrue(nvcc.isPresent(), "no nvcc on the PATH; install the CUDA toolkit");
    Path source = folder.resolve("kernels.cu");
    List<String> files = new ArrayList<>(KernelSource.FILES);
    files.add(KernelSource.TENSOR_CORE_ATTENTION);
    Files.writeString(source, KernelSource.of(files, Language.CUDA));
    Path out = folder.resolve("kernels.fatbin");
    Path messages = folder.resolve("messages");
    List<String> command =
        new ArrayList<>(List.of(nvcc.get().toString(), "--fatbin", "--threads=0"));
    ARCHITECTURES.forEach(
        architecture ->
            command.add(
                "--generate-code=arch=compute_%1$d,code=compute_%1$d".formatted(architecture)));
    command.addAll(
        List.of(
            "--fmad=false",
            "-DX_TYPE=2",
            "-DW_TYPE=2",
            "-DKV_TYPE=2",
            "-DSPAN_TOKENS=256",
            "-DOCTETS=1",
            "-DVALUES_IN_KEYS=0",
            "-DITEM_VECTORS=4",
            "-DITEM_OCTETS=1",
            "-DCHUNK_TOKENS=256",
            "-DMERGE_OCTETS=1",
            "-DSTRIPES=8",
            "-DHEAD_DIM=128",
            "-DVALUE_DIM=128",
            "-DQUERY_PARTS=3",
            "-o",
            out.toString(),
            source.toString()));
    int code =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(messages.toFile())
            .start()
            .waitFor();
    assertEquals(0, code, () -> read(messages));
    assertTrue(Files.size(out) > 0);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Optional<Path> onPath(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
