package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Usage and input that {@code offload label} refuses: one message, exit code 2, nothing written.
 */
class LabelCommandTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Map<String, Object> options = new LinkedHashMap<>();

  @BeforeEach
  void makeOptions() throws IOException {
    options.put("--model", MODEL);
    options.put("--input", write("in.jsonl", "{\"text\":\"a\"}\n"));
    options.put("--output", folder.resolve("out.jsonl"));
    options.put("--labels", "yes,no");
    options.put("--template", "{text}");
  }

  @Test
  void shouldRefuseMissingAndContradictingOptions() {
    assertEquals(ExitCode.REFUSED, run("label"));
    assertTrue(err.toString().contains("Missing required options"), err.toString());
    refuses("mutually exclusive", "--labels-file", "l.txt");
    refuses("mutually exclusive", "--template-file", "t.txt");
    refuses("Invalid value for option '--normalise'", "--normalise", "length");
    refuses("--gold g.jsonl needs --gold-field", "--gold", "g.jsonl");
    options.remove("--labels");
    refuses("(--labels=A,B,… | --labels-file=FILE | --regex=REGEX | --json-schema=FILE)");
  }

  @Test
  void shouldRefuseLabelsAndTemplatesThatCannotWork() throws IOException {
    refuses("--labels: label 3, 'yes', was given before", "--labels", "yes,no, yes");
    refuses("--labels: label 2 is empty", "--labels", "yes,,no");
    refuses("--labels: label 3 is empty", "--labels", "yes,no,");
    refuses("--labels: there are 1 labels", "--labels", "yes");
    refuses("--template: '{text.a}' at line 1, column 1", "--template", "{text.a}");
    refuses("--template: it names no field", "--template", "text");
    options.remove("--labels");
    Path labels = write("labels.txt", "yes\n\nno\n");
    refuses("--labels-file " + labels + ": label 2 is empty", "--labels-file", labels);
    refuses("is no file", "--labels-file", folder);
    Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {(byte) 0xE4});
    refuses("is not valid UTF-8", "--labels-file", latin);
  }

  @Test
  void shouldRefuseFilesThatCannotWork() throws IOException {
    refuses("must end in .jsonl, .csv or .parquet", "--output", folder.resolve("out.txt"));
    refuses("must end in .jsonl, .csv or .parquet", "--input", write("in.txt", "{}"));
    Path csv = write("in.csv", "id,body\n1,a\n");
    refuses("--input " + csv + " has no column text; it has id, body", "--input", csv);
    Path twice = write("gold.csv", "id,g\n1,a\n1,b\n");
    options.put("--gold-field", "g");
    refuses("--gold " + twice + ", line 2: id 1 was given before", "--gold", twice);
    refuses("is no file", "--gold", folder.resolve("gold.jsonl"));
    Path report = write("report.html", "precious");
    refuses("--report " + report + " exists", "--report", report);
    refuses("must end in .html (a page) or .json (data)", "--report", options.get("--output"));
    assertEquals("precious", Files.readString(report));
  }

  @Test
  void shouldLabelFromFilesAndSayWhichRowsAreRefused() throws IOException {
    options.remove("--labels");
    options.remove("--template");
    Path input =
        write("rows.csv", "id,text,topic\nx,\"Open a terminal, then type\",Linux\ny,,Linux\n");
    int code =
        run(
            "--input", input,
            "--labels-file", write("labels.txt", "Linux\r\nDesktop"),
            "--template-file", write("template.txt", "Text: {text}\nTopic: \n"),
            "--gold-field", "topic",
            "--output", folder.resolve("out.csv"));
    assertEquals(ExitCode.ROWS_FAILED, code, err.toString());
    assertTrue(err.toString().contains("1 rows answered in "), err.toString());
    assertTrue(out.toString().contains("of 1 rows\n"), out.toString());
    assertTrue(
        Files.readString(folder.resolve("out.csv")).startsWith("id,label,probabilities,gold\nx,"));
    assertEquals(
        "{\"line\":2,\"id\":\"y\",\"error\":\"field text is missing, which the template names\"}\n",
        Files.readString(folder.resolve("out.errors.jsonl")));
  }

  @Test
  void shouldWarnOfALabelThatBeginsAnother() {
    assertEquals(ExitCode.OK, run("--labels", "Java,JavaScript"), err.toString());
    assertTrue(err.toString().contains("label 'Java' begins 'JavaScript'"), err.toString());
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private void refuses(String message, Object... more) {
    err.getBuffer().setLength(0);
    assertEquals(ExitCode.REFUSED, run(more), err.toString());
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
    assertFalse(Files.exists(folder.resolve("out.jsonl")));
  }

  /** Runs the command with the usual options, of which some are replaced. */
  private int run(Object... more) {
    Map<String, Object> all = new LinkedHashMap<>(options);
    if (more.length == 1) {
      all.clear();
    }
    for (int i = 0; i + 1 < more.length; i += 2) {
      all.put((String) more[i], more[i + 1]);
    }
    Stream<String> args =
        all.entrySet().stream().flatMap(o -> Stream.of(o.getKey(), o.getValue().toString()));
    return Main.run(
        new PrintWriter(out, true),
        new PrintWriter(err, true),
        Stream.concat(Stream.of("label"), args).toArray(String[]::new));
  }
}
