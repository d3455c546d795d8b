package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.cuda.RuntimeCompiler.CompileException;
import dev.offload.backends.kernels.KernelSource;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What can be tried of NVRTC and cuBLAS without a device, where they are installed. */
final class NativeLibrariesTest {
  private static final int NEWEST_DRIVER = 99_000;

  private static SymbolLookup open(String name, String... needs) {
    CudaLibraries libraries =
        CudaLibraries.of(
            System.getProperty(CudaMachine.LIBRARIES_PROPERTY, ""),
            System.getenv(),
            Path.of(System.getProperty("user.home")));
    Optional<SymbolLookup> library = libraries.open(name, NEWEST_DRIVER, List.of(needs));
    Assumptions.assumeTrue(library.isPresent(), "no " + name + " is installed");
    return library.get();
  }

  @Test
  void shouldCompileEveryKernel() throws CompileException {
    Nvrtc nvrtc = new Nvrtc(open("nvrtc", "libnvrtc-builtins.so"));
    assertTrue(nvrtc.version().startsWith("NVRTC 1"), nvrtc::version);
    assertTrue(nvrtc.architectures().contains(90), () -> nvrtc.architectures().toString());
    List<String> files = new ArrayList<>(KernelSource.FILES);
    files.add(KernelSource.TENSOR_CORE_ATTENTION);
    for (String file : files) {
      String source = KernelSource.of(file, KernelSource.Language.CUDA);
      byte[] cubin = nvrtc.compile(file + ".cu", source, options("sm_90"));
      assertEquals("ELF", new String(cubin, 1, 3, java.nio.charset.StandardCharsets.US_ASCII));
      byte[] ptx = nvrtc.compile(file + ".cu", source, options("compute_90"));
      String text = new String(ptx, java.nio.charset.StandardCharsets.US_ASCII);
      assertTrue(text.contains(".entry") && text.endsWith("\0"), file);
    }
  }

  private static List<String> options(String architecture) {
    return List.of(
        "--gpu-architecture=" + architecture,
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
        "-DQUERY_PARTS=3");
  }

  @Test
  void shouldShowErrorsOfKernels() {
    Nvrtc nvrtc = new Nvrtc(open("nvrtc", "libnvrtc-builtins.so"));
    String broken = "#line 1 \"rope.cl\"\nint f() { return nothing; }";
    CompileException refusal =
        assertThrows(
            CompileException.class, () -> nvrtc.compile("rope.cu", broken, options("sm_90")));
    assertTrue(refusal.getMessage().contains("rope.cl(1)"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("nothing"), refusal::getMessage);
  }

  @Test
  void shouldFindTheFunctionsOfCublas() {
    Cublas.Functions functions = Cublas.Functions.link(open("cublas", "libcublasLt.so"));
    assertEquals(19, functions.gemmEx().type().parameterCount());
  }
}
