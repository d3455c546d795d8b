package dev.offload.backends.kernels;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** The source of kernels, complete with all they include, in the language of a compiler. */
public final class KernelSource {

  /** All files of kernels, without their ending. */
  public static final List<String> FILES =
      List.of("rows", "activation", "norm", "rope", "route", "attention", "matmul", "largest");

  /** Attention by tensor cores, in CUDA alone; see attention_mma.cl. */
  public static final String TENSOR_CORE_ATTENTION = "attention_mma";

  private static final String SUFFIX = ".cl";

  private KernelSource() {}

  /** A language the kernels compile in; what differs is in headers. */
  public enum Language {
    OPENCL_C,
    CUDA;

    private List<String> prelude() {
      return switch (this) {
        case OPENCL_C -> List.of("opencl.h");
        case CUDA -> List.of("cuda.h", "ptx.h");
      };
    }
  }

  /**
   * Everything a compiler needs, as one text with line directives, so that messages name our files.
   *
   * @param file one of {@link #FILES}, or {@link #TENSOR_CORE_ATTENTION}
   */
  public static String of(String file, Language language) {
    return of(
        file.equals(TENSOR_CORE_ATTENTION) ? List.of("attention", file) : List.of(file), language);
  }

  /** Several files in one text. */
  static String of(List<String> files, Language language) {
    StringBuilder text = new StringBuilder();
    language.prelude().forEach(header -> text.append(part(header)));
    text.append(part("numbers.h")).append(part("kv_cache.h"));
    files.forEach(file -> text.append(part(file + SUFFIX)));
    return text.toString();
  }

  /**
   * A line of a file that a compiler has named.
   *
   * @param line from 1
   */
  public static String line(String fileName, int line) {
    return read(fileName).lines().skip(line - 1L).findFirst().orElse("");
  }

  private static String part(String fileName) {
    return "#line 1 \"" + fileName + "\"\n" + read(fileName);
  }

  private static String read(String fileName) {
    try (InputStream in = KernelSource.class.getResourceAsStream(fileName)) {
      if (in == null) {
        throw new IllegalArgumentException("there is no kernel source " + fileName);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("kernel source " + fileName + " cannot be read", e);
    }
  }
}
