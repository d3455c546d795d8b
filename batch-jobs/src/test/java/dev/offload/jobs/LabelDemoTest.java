package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code offload label} on the labeled rows of the examples. Each model must be right on exactly as
 * many rows as it is with Hugging Face transformers in float32, where the label with the largest
 * summed log-probability, end token included, was taken.
 */
class LabelDemoTest {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final String LANGUAGES =
      "English,German,French,Spanish,Italian,Portuguese,Dutch,Polish,Russian,Japanese,Chinese,Korean";
  private static final String TOPICS =
      "Spreadsheets,Documents,Presentations,Programming,Desktop,Linux";

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();

  @ParameterizedTest
  @CsvSource({
    "tiny-moe, 100.0 %: 72 of 72, 97.2 %: 70 of 72",
    "tiny-dense, 100.0 %: 72 of 72, 81.9 %: 59 of 72",
    "tiny-relu, 100.0 %: 72 of 72, 55.6 %: 40 of 72",
  })
  void shouldLabelAsManyRowsRightAsTheReference(String model, String languages, String topics)
      throws IOException {
    Path labeled = label(model, "language", "Text: {text}\nLanguage: ", LANGUAGES, "a.jsonl");
    assertTrue(out.toString().startsWith("accuracy " + languages + " rows\n"), out.toString());
    checkRows(labeled);
    out.getBuffer().setLength(0);
    label(model, "topic", "Text: {text}\nTopic: ", TOPICS, "b.parquet");
    assertTrue(out.toString().startsWith("accuracy " + topics + " rows\n"), out.toString());
  }

  private static void checkRows(Path labeled) throws IOException {
    List<JsonNode> answers = rows(labeled);
    List<JsonNode> gold = rows(EXAMPLES.resolve("labeling.gold.jsonl"));
    assertEquals(gold.size(), answers.size());
    for (int i = 0; i < gold.size(); i++) {
      assertEquals(gold.get(i).get("id"), answers.get(i).get("id"));
      assertEquals(gold.get(i).get("language"), answers.get(i).get("label"));
      assertEquals(gold.get(i).get("language"), answers.get(i).get("gold"));
      double sum = 0;
      for (JsonNode probability : answers.get(i).get("probabilities")) {
        sum += probability.doubleValue();
      }
      assertEquals(1, sum, 1e-9);
    }
  }

  /** The model was trained on conversations too; tokens of its chat template are around them. */
  @Test
  void shouldAskInAConversation() throws IOException {
    label(
        "tiny-moe",
        "language",
        "Which language is this text written in?\n\n{text}",
        LANGUAGES,
        "out.csv",
        "--chat");
    assertTrue(out.toString().startsWith("accuracy 100.0 %: 72 of 72 rows\n"), out.toString());
  }

  private Path label(
      String model, String task, String template, String labels, String name, String... more)
      throws IOException {
    Path output = folder.resolve(name);
    Path report = folder.resolve(name + ".html");
    StringWriter err = new StringWriter();
    Stream<String> args =
        Stream.of(
            "label",
            "--model=" + EXAMPLES.resolve("models", model),
            "--input=" + EXAMPLES.resolve("labeling.jsonl"),
            "--gold=" + EXAMPLES.resolve("labeling.gold.jsonl"),
            "--gold-field=" + task,
            "--output=" + output,
            "--template=" + template,
            "--labels=" + labels,
            "--label-suffix=" + (List.of(more).contains("--chat") ? "<|end|>" : "<|endoftext|>"),
            "--report=" + report,
            "--dtype=float32");
    int code =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            Stream.concat(args, Stream.of(more)).toArray(String[]::new));
    assertEquals(ExitCode.OK, code, err.toString());
    assertTrue(Files.readString(report).contains(" of 72 rows</span>"));
    return output;
  }

  private static List<JsonNode> rows(Path file) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(new ObjectMapper().readTree(line));
    }
    return rows;
  }
}
