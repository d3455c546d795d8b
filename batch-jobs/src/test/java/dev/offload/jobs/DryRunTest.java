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
import org.junit.jupiter.params.provider.ValueSource;

class DryRunTest {
  private static final Path EXAMPLES = Path.of("../examples");

  @TempDir private Path folder;

  /** What a command said. */
  private record Said(int code, String out, String err) {
    JsonNode json() throws IOException {
      assertEquals(ExitCode.OK, code, err);
      return new ObjectMapper().readTree(out);
    }
  }

  /** Every model of the examples either fits, within all budgets, or is told what it lacks. */
  @ParameterizedTest
  @ValueSource(strings = {"h100", "server-cpu"})
  void shouldPlanEveryShape(String hardware) throws IOException {
    List<String> wrong = new ArrayList<>();
    int planned = 0;
    for (Path shape : shapes()) {
      Said said = plan("--model=" + shape, "--hardware=" + hardware, "--json");
      if (said.code == ExitCode.REFUSED && said.err.contains("more is needed")) {
        continue;
      }
      JsonNode json = said.json();
      planned++;
      for (String tier : List.of("device", "host", "disk")) {
        JsonNode memory = json.at("/memory/" + tier);
        if (memory.get("used").asLong() > memory.get("budget").asLong()) {
          wrong.add(shape + ": " + tier + " " + memory);
        }
      }
      boolean rates =
          json.get("tokens_per_s").asDouble() > 0
              && json.get("tokens_per_s").asDouble()
                  <= 1.0001 * json.get("program_tokens_per_s").asDouble()
              && json.get("decode_tokens_per_s").asDouble() > 0
              && json.get("prefill_tokens_per_s").asDouble() > 0;
      if (!rates) {
        wrong.add(shape + ": " + said.out);
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(planned >= 25, planned + " of " + shapes().size() + " shapes fit " + hardware);
  }

  @Test
  void shouldGiveWhatIsReplayed() throws IOException {
    Path saved = folder.resolve("plan.json");
    Path page = folder.resolve("plan.html");
    String budget = "--device-memory=4500KiB";
    Said said =
        plan(
            "--model=" + EXAMPLES.resolve("models/tiny-moe"),
            "--job=" + EXAMPLES.resolve("prompts.jsonl"),
            budget,
            "--host-memory=64MiB",
            "--save=" + saved,
            "--html=" + page);
    assertEquals(ExitCode.OK, said.code, said.err);
    assertTrue(said.out.startsWith("tiny-moe on "), said.out);
    assertTrue(Files.readString(page).contains("One pass, simulated"));

    Path without =
        generate("tiny-moe", "without.jsonl", budget, "--host-memory=64MiB").toAbsolutePath();
    Path with =
        generate("tiny-moe", "with.jsonl", budget, "--host-memory=64MiB", "--plan=" + saved);
    assertEquals(texts(without), texts(with));

    StringWriter small = new StringWriter();
    Path never = folder.resolve("never.jsonl");
    assertEquals(
        ExitCode.REFUSED,
        generate("tiny-moe", never, small, "--device-memory=3MiB", "--plan=" + saved));
    assertTrue(
        small.toString().contains("of device memory, the budget is 3.00 MiB"), small.toString());
    assertTrue(!Files.exists(never), "nothing was begun");

    StringWriter err = new StringWriter();
    int code = generate("tiny-dense", folder.resolve("other.jsonl"), err, "--plan=" + saved);
    assertEquals(ExitCode.REFUSED, code);
    assertTrue(err.toString().contains("was made for something else"), err.toString());
    assertTrue(err.toString().contains("model.weight_bytes is "), err.toString());
  }

  @Test
  void shouldPlanWithTheRoutingThatWasCounted() throws IOException {
    Path routing = folder.resolve("routing.json");
    generate("tiny-moe", "counted.jsonl", "--save-routing=" + routing);
    String model = "--model=" + EXAMPLES.resolve("models/tiny-moe");
    JsonNode planned = plan(model, "--hardware=t4", "--routing=" + routing, "--json").json();
    String used = planned.at("/model_facts/experts used per pass").asText();
    assertTrue(used.endsWith(" % by " + routing), used);

    Said other =
        plan(
            "--model=" + EXAMPLES.resolve("shapes/mixtral-8x7b"),
            "--hardware=h100",
            "--routing=" + routing);
    assertEquals(ExitCode.REFUSED, other.code);
    assertTrue(other.err.contains(routing + ": layers is without layer 6, but"), other.err);

    StringWriter err = new StringWriter();
    int code =
        generate("tiny-dense", folder.resolve("none.jsonl"), err, "--save-routing=" + routing);
    assertEquals(ExitCode.REFUSED, code);
    assertTrue(err.toString().contains("the model has no experts"), err.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--model=nowhere | nowhere",
        "--model=../examples/shapes/opt-30b --hardware=t5 | did you mean t4",
        "--model=../examples/shapes/opt-30b --hardware=missing.json | missing.json does not exist",
        "--model=../examples/shapes/opt-30b --hardware=t4 --prompt-tokens=0 | --prompt-tokens is 0",
        "--model=../examples/shapes/opt-30b --hardware=t4 --prompt-tokens=4000 | context is 2048",
        "--model=../examples/shapes/opt-30b --hardware=t4 --job=nowhere.jsonl | --job nowhere.jsonl",
        "--model=../examples/shapes/opt-30b --hardware=t4 --device-memory=1MiB | device memory of 1.00 MiB",
        "--model=../examples/shapes/opt-30b --hardware=t4 --host-memory=8GiB --disk=1GiB | more is needed",
        "--model=../examples/shapes/mixtral-8x7b --hardware=h100 --routing=missing.json | missing.json: is missing",
        "--hardware=t4 | --model",
      })
  void shouldRefuse(String options, String expected) {
    Said said = plan(options.split(" "));
    assertEquals(ExitCode.REFUSED, said.code, said.out);
    assertTrue(said.err.contains(expected.strip()), said.err);
    assertTrue(said.err.lines().count() <= 3 || said.err.contains("Usage"), said.err);
  }

  private Path generate(String model, String name, String... more) throws IOException {
    Path output = folder.resolve(name);
    StringWriter err = new StringWriter();
    assertEquals(ExitCode.OK, generate(model, output, err, more), err.toString());
    return output;
  }

  private int generate(String model, Path output, StringWriter err, String... more)
      throws IOException {
    List<String> rows = Files.readAllLines(EXAMPLES.resolve("prompts.jsonl")).subList(0, 6);
    Path input = Files.write(folder.resolve("in.jsonl"), rows);
    List<String> command = new ArrayList<>();
    command.add("generate");
    command.add("--model=" + EXAMPLES.resolve("models/" + model));
    command.add("--input=" + input);
    command.add("--output=" + output);
    command.add("--max-tokens=8");
    command.addAll(List.of(more));
    return Main.run(
        new PrintWriter(new StringWriter()),
        new PrintWriter(err, true),
        command.toArray(String[]::new));
  }

  private static List<String> texts(Path output) throws IOException {
    List<String> texts = new ArrayList<>();
    for (String line : Files.readAllLines(output)) {
      texts.add(new ObjectMapper().readTree(line).toString());
    }
    return texts;
  }

  private static List<Path> shapes() throws IOException {
    try (Stream<Path> all = Files.list(EXAMPLES.resolve("shapes"))) {
      return all.filter(each -> Files.exists(each.resolve("config.json"))).sorted().toList();
    }
  }

  private static Said plan(String... options) {
    List<String> command = new ArrayList<>(List.of("plan"));
    command.addAll(List.of(options));
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        Main.run(
            new PrintWriter(out, true), new PrintWriter(err, true), command.toArray(String[]::new));
    return new Said(code, out.toString(), err.toString());
  }
}
