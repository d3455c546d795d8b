package dev.offload.jobs;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.text.ChatTemplate;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code offload inspect}: says what a model is and whether it would run. */
@Command(
    name = "inspect",
    description = "Says what a model is, how large it is, and what of it would be refused and why.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload inspect models/tiny",
      "  offload inspect --model config.json      a model without weights"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:the model would run", "2:something is refused"})
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  private Named named;

  /** The model, with or without the option's name that other commands want. */
  private static final class Named {
    @Parameters(paramLabel = "DIR|FILE", description = "Folder of a model, or a config.json alone.")
    private Path path;

    @Option(names = "--model", paramLabel = "DIR|FILE", description = "The same.")
    private Path option;

    Path path() {
      return path != null ? path : option;
    }
  }

  private Path model;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  @Override
  public Integer call() throws RefusedException {
    model = named.path();
    if (!Files.exists(model)) {
      throw new RefusedException(model + " does not exist; name the folder of a model");
    }
    PrintWriter out = spec.commandLine().getOut();
    List<Boolean> fine = new ArrayList<>();
    fine.add(check(out, "configuration", this::describe));
    if (Files.isDirectory(model)) {
      fine.add(check(out, "weights", this::checkWeights));
      fine.add(check(out, "tokenizer", this::checkTokenizer));
      checkTemplate(out);
    }
    return fine.contains(false) ? ExitCode.REFUSED : ExitCode.OK;
  }

  /** Prompts work without a template, so its absence refuses nothing but conversations. */
  private void checkTemplate(PrintWriter out) {
    try {
      ChatTemplate.open(model);
      out.printf("%-16s fine%n", "chat template");
    } catch (IOException | RuntimeException e) {
      out.printf("%-16s rows with messages are refused: %s%n", "chat template", Messages.plain(e));
    }
  }

  private String describe() throws IOException {
    ModelShape shape = ModelFolder.describe(model);
    ModelSummary.print(shape, spec.commandLine().getOut());
    if (shape.refusal().isPresent()) {
      throw new ModelException(shape.refusal().get());
    }
    return "fine";
  }

  private String checkWeights() throws IOException {
    try (ModelFolder folder = ModelFolder.open(model)) {
      return "fine, stored as " + folder.config().storedDType();
    }
  }

  private String checkTokenizer() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.open(model)) {
      return "fine, " + tokenizer.vocabularySize() + " tokens";
    }
  }

  private static boolean check(PrintWriter out, String what, Check check) {
    try {
      out.printf("%-16s %s%n", what, check.run());
      return true;
    } catch (IOException | ModelException | IllegalArgumentException e) {
      out.printf("%-16s refused: %s%n", what, Messages.plain(e));
      return false;
    }
  }

  @FunctionalInterface
  private interface Check {
    String run() throws IOException;
  }
}
