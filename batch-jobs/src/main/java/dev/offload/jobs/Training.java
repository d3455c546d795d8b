package dev.offload.jobs;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the launcher runs once after a build, while the virtual machine notes which classes are
 * loaded and which methods run: commands that ought to start fast, on small input.
 */
public final class Training {
  private static final PrintWriter NOWHERE = new PrintWriter(Writer.nullWriter());

  private Training() {}

  /**
   * Answers a row and plans.
   *
   * @param args the folder of the examples, and a folder for files
   */
  public static void main(String[] args) throws IOException {
    Path examples = Path.of(args[0]);
    Path input = Path.of(args[1], "training.jsonl");
    Files.writeString(input, "{\"prompt\": \"The\", \"max_tokens\": 2}\n");
    run(
        "generate",
        "--model=" + examples.resolve("models/tiny-moe"),
        "--input=" + input,
        "--output=" + input.resolveSibling("training.out.jsonl"));
    for (String model : new String[] {"opt-30b", "mixtral-8x7b", "deepseek-v3"}) {
      run("plan", "--model=" + examples.resolve("shapes/" + model), "--hardware=t4", "--json");
      run("plan", "--model=" + examples.resolve("shapes/" + model), "--hardware=h200");
    }
  }

  private static void run(String... command) {
    Main.run(NOWHERE, NOWHERE, command);
  }
}
