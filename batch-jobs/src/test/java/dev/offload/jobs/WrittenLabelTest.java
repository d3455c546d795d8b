package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.constraint.TextConstraint;
import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Template;
import dev.offload.jobs.tables.FileFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Labels and answers that a real model writes under a regular expression or a JSON schema. */
class WrittenLabelTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String SCHEMA =
      """
      {"type":"object","additionalProperties":false,"required":["topic","words"],"properties":{
        "topic":{"enum":["Linux","Desktop",null]},
        "words":{"type":"array","items":{"type":"string","maxLength":6},"maxItems":2},
        "sure":{"type":"boolean"}}}
      """;

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path input;

  @BeforeEach
  void writeRows() throws IOException {
    input =
        write(
            "in.jsonl",
            """
            {"id":"a","text":"Open a terminal, then type","topic":"Linux"}
            {"id":"b","text":"Drag the window to","topic":"Desktop"}
            {"id":"c","topic":"Linux"}
            {"id":"d","text":"The kernel is","topic":"kernel"}
            """);
  }

  @Test
  void shouldWriteTextsThatMatchAndCompareThem() throws IOException {
    Path output = folder.resolve("out.jsonl");
    Path report = folder.resolve("report.html");
    int code =
        label(
            output, "--regex", "(Linux|Desktop)!{2}", "--gold-field", "topic", "--report", report);
    assertEquals(ExitCode.ROWS_FAILED, code, err.toString());
    assertTrue(Files.readString(report).contains("0 of 3 rows with a gold label are right."));
    List<JsonNode> rows = lines(output);
    assertEquals(List.of("a", "b", "d"), rows.stream().map(r -> r.get("id").asText()).toList());
    for (JsonNode row : rows) {
      assertTrue(row.get("label").asText().matches("(Linux|Desktop)!!"), row.toString());
    }
    assertEquals("kernel", rows.get(2).get("gold").asText());
    assertTrue(out.toString().contains("accuracy 0.0 %: 0 of 3 rows"), out.toString());
    assertTrue(
        Files.readString(folder.resolve("out.errors.jsonl")).contains("field text is missing"));
  }

  @Test
  void shouldSayThatALabelWasCutOff() throws IOException {
    Path output = folder.resolve("out.csv");
    Path report = folder.resolve("report.json");
    int code = label(output, "--regex", "[a-z ]{100,200}", "--max-tokens", "3", "--report", report);
    assertEquals(ExitCode.ROWS_FAILED, code, err.toString());
    assertEquals(3, JSON.readTree(report.toFile()).at("/labels/incomplete").asInt());
    assertEquals(9, JSON.readTree(report.toFile()).at("/output_tokens/sum").asInt());
    assertTrue(err.toString().contains("3 labels were cut off by --max-tokens 3"), err.toString());
    List<String> lines = Files.readAllLines(output);
    assertEquals("id,label,incomplete", lines.getFirst());
    assertTrue(lines.get(1).matches("a,,\"?[a-z ]+\"?"), lines.get(1));
  }

  @Test
  void shouldWriteJsonThatIsValid() throws IOException {
    Path schema = write("schema.json", SCHEMA);
    Path output = folder.resolve("out.jsonl");
    assertEquals(ExitCode.ROWS_FAILED, label(output, "--json-schema", schema), err.toString());
    Path table = folder.resolve("out.csv");
    assertEquals(ExitCode.ROWS_FAILED, label(table, "--json-schema", schema), err.toString());
    List<String> cells = Files.readAllLines(table);
    List<JsonNode> rows = lines(output);
    for (int i = 0; i < rows.size(); i++) {
      checkTopic(rows.get(i).get("label"));
      String text = cells.get(i + 1).replaceAll("^[a-d],\"|\",$", "").replace("\"\"", "\"");
      assertEquals(rows.get(i).get("label"), JSON.readTree(text), cells.get(i + 1));
    }
    assertEquals(3, rows.size());
  }

  private static void checkTopic(JsonNode label) {
    Set<String> names = Set.copyOf(label.propertyStream().map(p -> p.getKey()).toList());
    assertTrue(names.containsAll(Set.of("topic", "words")), label.toString());
    assertTrue(Set.of("topic", "words", "sure").containsAll(names), label.toString());
    assertTrue(Set.of("Linux", "Desktop", "null").contains(label.get("topic").asText()));
    assertTrue(label.get("words").isArray() && label.get("words").size() <= 2);
  }

  /** A table keeps the value null and no value at all apart. */
  @ParameterizedTest
  @CsvSource({".csv", ".parquet"})
  void shouldTellNullFromCutOff(String ending) throws IOException {
    Path schema = write("schema.json", "{\"type\":\"null\"}");
    Path output = folder.resolve("out" + ending);
    assertEquals(ExitCode.ROWS_FAILED, label(output, "--json-schema", schema), err.toString());
    List<JsonNode> rows = new ArrayList<>();
    try (var source = RowFiles.open(output, Set.of("label", "incomplete"))) {
      for (var row = source.next(); row.isPresent(); row = source.next()) {
        rows.add(row.get().fields());
      }
    } catch (dev.offload.jobs.rows.RowException e) {
      throw new IOException(e);
    }
    assertEquals(3, rows.size());
    assertEquals("null", rows.getFirst().get("label").asText());
    assertFalse(rows.getFirst().hasNonNull("incomplete"));
  }

  @Test
  void shouldRefuseOptionsThatDoNotBelongTogether() throws IOException {
    Path schema = write("schema.json", SCHEMA);
    refuses("mutually exclusive", "--regex", "a", "--labels", "a,b");
    refuses("--normalise TOKENS is for labels", "--regex", "a", "--normalise", "tokens");
    refuses("--label-suffix x is for labels", "--regex", "a", "--label-suffix", "x");
    refuses("--max-tokens 3 is for labels that are written", "--labels", "a,b", "--max-tokens", 3);
    refuses("--max-tokens is 0", "--regex", "a", "--max-tokens", 0);
    refuses("not --json-schema", "--json-schema", schema, "--gold-field", "topic");
    refuses("--regex: the regex has '(?=' at character 2", "--regex", "a(?=b)");
    Path wrong = write("wrong.json", "{\"type\":\"string\",\"format\":\"date\"}");
    refuses("--json-schema " + wrong + ": schema #/format: this is not", "--json-schema", wrong);
    refuses("is no file", "--json-schema", folder);
  }

  private void refuses(String message, Object... more) {
    err.getBuffer().setLength(0);
    assertEquals(ExitCode.REFUSED, label(folder.resolve("no.jsonl"), more), err.toString());
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(Files.exists(folder.resolve("no.jsonl")));
  }

  @Test
  void shouldAnswerRowsInTheFormatTheyAskFor() throws IOException {
    Path rows =
        write(
            "rows.jsonl",
            """
            {"prompt":"A","regex":"yes|no"}
            {"prompt":"A","response_format":{"type":"json_schema","json_schema":{"name":"t","schema":%s}}}
            {"prompt":"A","regex":"x{20}","max_tokens":2}
            {"prompt":"A","regex":"(a"}
            {"prompt":"A","regex":"a","stop":"b"}
            {"prompt":"A","response_format":{"type":"text"},"max_tokens":1}
            """
                .formatted(JSON.readTree(SCHEMA)));
    Path output = folder.resolve("answers.jsonl");
    int code = run("generate", "--model", model("tiny-dense"), "--input", rows, "--output", output);
    assertEquals(ExitCode.ROWS_FAILED, code, err.toString());
    List<JsonNode> answers = lines(output);
    assertTrue(answers.get(0).get("text").asText().matches("yes|no"), answers.toString());
    assertEquals("stop", answers.get(0).get("finish_reason").asText());
    checkTopic(JSON.readTree(answers.get(1).get("text").asText()));
    assertEquals("length", answers.get(2).get("finish_reason").asText());
    assertEquals(4, answers.size());
    List<JsonNode> errors = lines(folder.resolve("answers.errors.jsonl"));
    assertTrue(errors.get(0).get("error").asText().startsWith("regex: the regex has '(a' at"));
    assertTrue(errors.get(1).get("error").asText().startsWith("stop contradicts a constraint"));
  }

  /** A journal must not be continued with another regex, schema or length. */
  @Test
  void shouldBeAnotherJobWithAnotherConstraint() throws IOException {
    JobFiles files = new JobFiles(input, folder.resolve("o.jsonl"), folder.resolve("e.jsonl"));
    LabelJob job =
        new LabelJob(
            model("tiny-moe"),
            files,
            new LabelRows(Template.parse("{text}"), false, Optional.empty()),
            FileFormat.JSONL,
            new MachineOptions(),
            new JobOptions(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of());
    TextConstraint any = TextConstraint.regex("a");
    Set<Object> jobs = new HashSet<>();
    jobs.add(new WrittenLabelSteps(job, new LabelText(any, false, "a"), 5).describe().facts());
    jobs.add(new WrittenLabelSteps(job, new LabelText(any, false, "b"), 5).describe().facts());
    jobs.add(new WrittenLabelSteps(job, new LabelText(any, true, "a"), 5).describe().facts());
    jobs.add(new WrittenLabelSteps(job, new LabelText(any, false, "a"), 6).describe().facts());
    assertEquals(4, jobs.size());
  }

  private int label(Path output, Object... more) {
    return run(
        Stream.concat(
                Stream.of(
                    "label",
                    "--model",
                    model("tiny-moe"),
                    "--input",
                    input,
                    "--output",
                    output,
                    "--template",
                    "Text: {text}\nTopic: ",
                    "--errors",
                    output.resolveSibling("out.errors.jsonl"),
                    "--overwrite"),
                Stream.of(more))
            .toArray());
  }

  private static Path model(String name) {
    return Path.of("../examples/models", name);
  }

  private int run(Object... args) {
    return Main.run(
        new PrintWriter(out, true),
        new PrintWriter(err, true),
        Stream.of(args).map(Object::toString).toArray(String[]::new));
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }
}
