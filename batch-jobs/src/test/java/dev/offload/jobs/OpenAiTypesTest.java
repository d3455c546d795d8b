package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks answers to OpenAI rows against the types of the npm package {@code openai}: nothing that
 * they require is missing, nothing is there that they do not know. Skipped unless {@code npm
 * install --prefix target/npm} has been run with {@code src/test/npm/package.json}.
 */
class OpenAiTypesTest {
  private static final Path MODEL = Path.of("../examples/models/tiny-moe");
  private static final Path PACKAGES = Path.of("target/npm/node_modules").toAbsolutePath();

  /** What the documentation of the batch API says of a line; the package has no type for it. */
  private static final String LINE =
      """
      import type { ChatCompletion } from 'openai/resources/chat/completions';
      import type { Completion } from 'openai/resources/completions';
      interface Line<Body> {
        id: string;
        custom_id: string;
        response: { status_code: number; request_id: string; body: Body } | null;
        error: { code: string; message: string } | null;
      }
      """;

  @TempDir private Path folder;

  @Test
  void shouldAnswerInTheShapesThatClientsExpect() throws Exception {
    assumeTrue(Files.isDirectory(PACKAGES), () -> PACKAGES + " is missing");
    List<String> rows = new ArrayList<>();
    rows.add(chat("plain", ""));
    rows.add(chat("two", ",'n':2,'seed':3,'temperature':0.7,'stop':['.']"));
    rows.add(chat("probable", ",'logprobs':true,'top_logprobs':2,'max_completion_tokens':2"));
    rows.add(chat("bare", ",'logprobs':true"));
    rows.add(chat("json", ",'response_format':{'type':'text'},'logit_bias':{'5':-100}"));
    rows.add(text("text", ""));
    rows.add(text("text probable", ",'logprobs':2,'n':2"));
    Path input = Files.writeString(folder.resolve("in.jsonl"), lines(rows));
    Path output = folder.resolve("out.jsonl");
    assertEquals(ExitCode.OK, generate(input, output));

    StringBuilder program = new StringBuilder(LINE);
    List<String> answers = Files.readAllLines(output);
    assertEquals(rows.size(), answers.size());
    for (int i = 0; i < answers.size(); i++) {
      boolean chat = rows.get(i).contains("chat");
      program.append(checked("answer" + i, chat ? "ChatCompletion" : "Completion", answers.get(i)));
    }
    assertEquals("", typeErrors(program));
  }

  @Test
  void shouldReportErrorsInTheShapeThatClientsExpect() throws Exception {
    assumeTrue(Files.isDirectory(PACKAGES), () -> PACKAGES + " is missing");
    Path input =
        Files.writeString(folder.resolve("in.jsonl"), lines(List.of(chat("bad", ",'audio':{}"))));
    Path output = folder.resolve("out.jsonl");
    assertEquals(ExitCode.ROWS_FAILED, generate(input, output));
    ObjectNode error =
        (ObjectNode) new ObjectMapper().readTree(folder.resolve("out.errors.jsonl").toFile());
    assertEquals(1, error.remove("line").asInt());
    String program = LINE + checked("error", "never", error.toString());
    assertEquals("", typeErrors(program));
  }

  /** The judge must be able to say no. */
  @Test
  void shouldNoticeAMissingField() throws Exception {
    assumeTrue(Files.isDirectory(PACKAGES), () -> PACKAGES + " is missing");
    String line =
        "{\"id\":\"a\",\"custom_id\":\"b\",\"response\":{\"status_code\":200,\"request_id\":\"c\","
            + "\"body\":{\"id\":\"a\",\"object\":\"text_completion\",\"created\":1,\"choices\":[]}},"
            + "\"error\":null}";
    String errors = typeErrors(LINE + checked("broken", "Completion", line));
    assertTrue(errors.contains("'model' is missing"), errors);
  }

  private static String checked(String name, String body, String line) {
    return "export const %s: Line<%s> = %s;%n".formatted(name, body, line);
  }

  private static String chat(String id, String more) {
    return row(
        id, "/v1/chat/completions", "'messages':[{'role':'user','content':'a kernel'}]" + more);
  }

  private static String text(String id, String more) {
    return row(id, "/v1/completions", "'prompt':'The kernel'" + more);
  }

  private static String row(String id, String url, String body) {
    return "{'custom_id':'%s','method':'POST','url':'%s','body':{'model':'tiny-moe',%s}}"
        .formatted(id, url, body)
        .replace('\'', '"');
  }

  private static String lines(List<String> rows) {
    return String.join("\n", rows);
  }

  private static int generate(Path input, Path output) {
    StringWriter err = new StringWriter();
    int code =
        Main.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err, true),
            "generate",
            "--model=" + MODEL,
            "--input=" + input,
            "--output=" + output,
            "--max-tokens=4");
    assertTrue(code != ExitCode.FAILED && code != ExitCode.REFUSED, err::toString);
    return code;
  }

  /** What the compiler says of a program that imports the package. */
  private String typeErrors(CharSequence program) throws IOException, InterruptedException {
    Path link = Files.createSymbolicLink(folder.resolve("node_modules"), PACKAGES);
    Files.writeString(folder.resolve("check.ts"), program);
    Process process =
        new ProcessBuilder(
                PACKAGES.resolve(".bin/tsc").toString(),
                "--noEmit",
                "--strict",
                "--exactOptionalPropertyTypes",
                "--skipLibCheck",
                "--module",
                "nodenext",
                "check.ts")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    try (var out = process.inputReader()) {
      String said = String.join("\n", out.lines().toList());
      assertTrue(process.waitFor(10, TimeUnit.MINUTES), said);
      return said;
    } finally {
      Files.delete(link);
    }
  }
}
