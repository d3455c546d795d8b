package dev.offload.jobs;

import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.jobs.plan.FlexGenInstances;
import dev.offload.jobs.plan.PublishedComparison;
import dev.offload.jobs.report.PlanJson;
import dev.offload.jobs.report.PlanPage;
import dev.offload.jobs.report.PlanReport;
import dev.offload.jobs.report.PlanText;
import dev.offload.jobs.rows.RowException;
import dev.offload.planner.hardware.Presets;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
    footer = {
      "  offload plan --model examples/shapes/mixtral-8x7b --hardware t4",
      "      what to expect of Mixtral on a T4, before anything is bought",
      "  offload plan --model models/tiny --job rows.jsonl --html plan.html --save plan.json",
      "      what to expect of a job here; generate --plan plan.json then does just that",
      "  offload plan --published examples/published.json",
      "      what others measured, beside what is predicted for their own loop and policy",
      "  offload plan --cost-model flexgen --instances instances.jsonl"
    },
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

  @Mixin private PlanOptions options;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  /** What is asked about; one of these. */
  private static final class Subject {
    @Option(
        names = "--model",
        paramLabel = "DIR|FILE",
        description = "A config.json or the folder that holds it; weights need not be there.")
    private Path model;

    @Option(names = "--list-hardware", description = "List the machines that are known by name.")
    private boolean listHardware;

    @Option(
        names = "--instances",
        paramLabel = "FILE",
        description = "JSONL; one instance of FlexGen's linear program per line.")
    private Path instances;

    @Option(
        names = "--published",
        paramLabel = "FILE",
        description =
            "JSON; throughputs that others published, such as examples/published.json. Prints"
                + " what is predicted for them.")
    private Path published;
  }

  @Override
  public Integer call() throws IOException, RefusedException {
    PrintWriter out = spec.commandLine().getOut();
    if (subject.model != null) {
      plan(out);
    } else if (subject.listHardware) {
      listHardware(out);
    } else if (subject.instances != null) {
      solveInstances(out);
    } else {
      comparePublished(out);
    }
    return ExitCode.OK;
  }

  private void listHardware(PrintWriter out) throws IOException {
    HardwareTable table = new HardwareTable(Presets.load());
    if (options.json()) {
      table.printJson(out);
    } else {
      table.print(out);
    }
  }

  private void plan(PrintWriter out) throws IOException, RefusedException {
    options.checkWork();
    try (DryRun dryRun = DryRun.of(subject.model, options)) {
      PlanReport report = dryRun.report(options.html().isPresent() || dryRun.isPlayedQuickly());
      if (options.json()) {
        out.println(PlanJson.of(report));
      } else {
        PlanText.print(report, out);
      }
      if (options.html().isPresent()) {
        Files.writeString(options.html().get(), PlanPage.html(report));
      }
      if (options.save().isPresent()) {
        dryRun.file().write(options.save().get());
      }
    } catch (ModelException | MemoryBudgetException | IllegalArgumentException e) {
      throw new RefusedException(Messages.plain(e), e);
    }
  }

  private void solveInstances(PrintWriter out) throws IOException, RefusedException {
    if (costModel != CostModel.FLEXGEN) {
      throw new ParameterException(
          spec.commandLine(), "--instances needs to know how to solve: give --cost-model flexgen");
    }
    if (options.json()) {
      throw new ParameterException(
          spec.commandLine(), "--instances always prints JSON; leave --json out");
    }
    requireFile("--instances", subject.instances);
    try {
      FlexGenInstances.solve(subject.instances, out);
    } catch (RowException e) {
      throw refused("--instances", subject.instances, e);
    }
  }

  private void comparePublished(PrintWriter out) throws IOException, RefusedException {
    if (costModel != null) {
      throw new ParameterException(
          spec.commandLine(), "--cost-model belongs to --instances; leave it out");
    }
    requireFile("--published", subject.published);
    try {
      PublishedComparison comparison = PublishedComparison.of(subject.published);
      if (options.json()) {
        out.println(comparison.toJson());
      } else {
        comparison.print(out);
      }
    } catch (RowException e) {
      throw refused("--published", subject.published, e);
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
