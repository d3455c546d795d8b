package dev.offload.jobs;

import dev.offload.jobs.plan.FlexGenInstances;
import dev.offload.jobs.rows.RowException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code offload plan}: what to expect of a model on a machine, before anything is run. */
@Command(
    name = "plan",
    description = "Predicts how fast a model is on a machine, and says what bounds it.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {"  offload plan --cost-model flexgen --instances instances.jsonl"},
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:all is well", "2:wrong usage or refused input"})
final class PlanCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  private Subject subject;

  @Option(
      names = "--cost-model",
      paramLabel = "NAME",
      description = "Model to solve --instances with: ${COMPLETION-CANDIDATES}.")
  private CostModel costModel;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  /** What is asked about; one of these. */
  private static final class Subject {
    @Option(
        names = "--instances",
        paramLabel = "FILE",
        description = "JSONL; one instance of FlexGen's linear program per line.")
    private Path instances;
  }

  @Override
  public Integer call() throws IOException, RefusedException {
    PrintWriter out = spec.commandLine().getOut();
    if (subject.instances != null) {
      solveInstances(out);
    }
    return ExitCode.OK;
  }

  private void solveInstances(PrintWriter out) throws IOException, RefusedException {
    if (costModel != CostModel.FLEXGEN) {
      throw new ParameterException(
          spec.commandLine(), "--instances needs to know how to solve: give --cost-model flexgen");
    }
    requireFile("--instances", subject.instances);
    try {
      FlexGenInstances.solve(subject.instances, out);
    } catch (RowException e) {
      throw refused("--instances", subject.instances, e);
    }
  }

  private static void requireFile(String option, Path file) throws RefusedException {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      String why = Files.exists(file) ? "cannot be read as a file" : "does not exist";
      throw new RefusedException(option + " " + file + " " + why);
    }
  }

  private static RefusedException refused(String option, Path file, RowException e) {
    return new RefusedException(option + " " + file + ", " + e.getMessage(), e);
  }
}
