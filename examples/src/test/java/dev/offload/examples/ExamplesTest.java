package dev.offload.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

  @Test
  void shouldGiveTheSameTextsWithLessMemory() throws IOException {
    List<String> lines = lines(Example02Budget::run);
    List<String> first = lines.subList(0, lines.size() / 2);
    List<String> second = lines.subList(lines.size() / 2, lines.size());
    assertTrue(texts(first).size() >= 3, first::toString);
    assertEquals(texts(first), texts(second));
  }

  private static List<String> texts(List<String> lines) {
    return lines.stream().filter(line -> !line.contains(" busy ")).skip(1).toList();
  }

  private static List<String> lines(Example example) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
      example.run(MODEL, out);
    }
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
