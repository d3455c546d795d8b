package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The main job on the labeled rows of the examples: texts in, labels out. Each model must be right
 * on exactly as many rows as it is with Hugging Face transformers in float32.
 */
class LabelingAccuracyTest {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "tiny-moe, PLAIN, 72, 70",
    "tiny-moe, CHAT, 72, 71",
    "tiny-dense, PLAIN, 72, 59",
    "tiny-dense, CHAT, 72, 56",
    "tiny-relu, PLAIN, 72, 40",
    "tiny-relu, CHAT, 72, 42",
  })
  void shouldLabelAsManyRowsRightAsTheReference(String model, Form form, int languages, int topics)
      throws IOException {
    List<JsonNode> texts = rows(EXAMPLES.resolve("labeling.jsonl"));
    List<String> questions = new ArrayList<>();
    for (Label label : Label.values()) {
      for (JsonNode row : texts) {
        ObjectNode question = form.question(label, row.get("text").asText());
        question.put("id", label + " " + row.get("id").asText()).put("max_tokens", 8);
        questions.add(question.toString());
      }
    }
    Map<String, JsonNode> answers = generate(model, questions);
    List<JsonNode> gold = rows(EXAMPLES.resolve("labeling.gold.jsonl"));
    assertEquals(2 * gold.size(), answers.size());
    assertEquals(languages, right(Label.LANGUAGE, form, gold, answers), "languages");
    assertEquals(topics, right(Label.TOPIC, form, gold, answers), "topics");
  }

  private Map<String, JsonNode> generate(String model, List<String> questions) throws IOException {
    Path input = Files.write(folder.resolve("questions.jsonl"), questions);
    Path output = folder.resolve("answers.jsonl");
    StringWriter err = new StringWriter();
    int code =
        Main.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err, true),
            "generate",
            "--model",
            EXAMPLES.resolve("models", model).toString(),
            "--input",
            input.toString(),
            "--output",
            output.toString(),
            "--dtype",
            "float32");
    assertEquals(ExitCode.OK, code, err.toString());
    Map<String, JsonNode> answers = new HashMap<>();
    for (JsonNode answer : rows(output)) {
      answers.put(answer.get("id").asText(), answer);
    }
    return answers;
  }

  /** A row is right if the label, and nothing else, was generated up to the end token. */
  private static long right(
      Label label, Form form, List<JsonNode> gold, Map<String, JsonNode> answers) {
    return gold.stream()
        .filter(
            row -> {
              JsonNode answer = answers.get(label + " " + row.get("id").asText());
              return answer.get("finish_reason").asText().equals("stop")
                  && answer.get("text").asText().equals(form.lead + row.get(label.field).asText());
            })
        .count();
  }

  private static List<JsonNode> rows(Path file) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  /** What is asked, in the words that the models were trained on. */
  private enum Label {
    LANGUAGE("language", "Language:", "Which language is this text written in?"),
    TOPIC("topic", "Topic:", "What is the topic of this text?");

    private final String field;
    private final String cue;
    private final String question;

    Label(String field, String cue, String question) {
      this.field = field;
      this.cue = cue;
      this.question = question;
    }
  }

  private enum Form {
    PLAIN(" ") {
      @Override
      ObjectNode question(Label label, String text) {
        return JSON.createObjectNode().put("prompt", "Text: " + text + "\n" + label.cue);
      }
    },
    CHAT("") {
      @Override
      ObjectNode question(Label label, String text) {
        ObjectNode row = JSON.createObjectNode();
        row.putArray("messages")
            .addObject()
            .put("role", "user")
            .put("content", label.question + "\n\n" + text);
        return row;
      }
    };

    /** What an answer begins with. */
    private final String lead;

    Form(String lead) {
      this.lead = lead;
    }

    abstract ObjectNode question(Label label, String text);
  }
}
