package dev.offload.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The examples do what their lessons say. */
final class ExamplesTest {
  private static final Path MODEL = Path.of("models/tiny-moe");

  private interface Example {
    void run(Path model, PrintStream out) throws IOException;
  }

  @Test
  void shouldAnswerEveryPrompt() throws IOException {
    List<String> lines = lines(Example01Generate::run);
    for (String prompt : List.of("The kernel provides", "A spreadsheet is", "In the beginning")) {
      assertEquals(
          1, lines.stream().filter(line -> line.startsWith(prompt + " ... ")).count(), prompt);
    }
  }

  private static List<String> lines(Example example) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
      example.run(MODEL, out);
    }
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
