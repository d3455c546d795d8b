package dev.offload.backends.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class FailureTest {

  @Test
  void shouldHaveWordsForEveryFailureOfTheKernels() {
    List<Integer> codes =
        Pattern.compile("#define [A-Z_]+ (\\d+)\n")
            .matcher(failures())
            .results()
            .map(result -> Integer.valueOf(result.group(1)))
            .toList();
    assertEquals(List.of(1, 2, 3, 4, 5, 6), codes);
    for (int code : codes) {
      assertFalse(Failure.describe(code, 7, 8, 9).startsWith("a kernel failed"));
    }
  }

  private static String failures() {
    String source = KernelSource.of("rows", KernelSource.Language.OPENCL_C);
    return source.substring(
        source.indexOf("#define ROW_OUT_OF_RANGE"), source.indexOf("// The first failure"));
  }
}
