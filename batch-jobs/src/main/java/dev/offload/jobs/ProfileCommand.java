package dev.offload.jobs;

import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.profile.Effort;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.Profiler;
import dev.offload.planner.profile.Profiling;
import dev.offload.planner.profile.Shapes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload profile}: measures this machine. */
@Command(
    name = "profile",
    description = {
      "Measures what this machine can do, in less than a minute: copies, matrix products, attention,"
          + " memory, the disk, and how they slow each other down.",
      "Planning for this machine uses the figures from then on."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload profile",
      "  offload profile --save big-server.json      to plan for this machine elsewhere",
      "  offload profile --threads 8 --temp /data    with 8 threads, and the disk of /data"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:measured", "1:the program failed", "2:wrong usage or refused input"})
final class ProfileCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Write the profile there too, for --hardware FILE.")
  private Path save;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Mixin private BudgetOptions machine;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  private final Profiles profiles = Profiles.ofUser();
  private final Effort effort = Effort.usual();

  @Override
  public Integer call() throws IOException, RefusedException {
    machine.check();
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    Profiling measured = measure(facts);
    Path kept = profiles.keep(measured.profile(), facts, machine.device());
    if (save != null) {
      HardwareJson.write(measured.profile(), save);
    }
    PrintWriter out = spec.commandLine().getOut();
    ProfileReport report = new ProfileReport(measured);
    if (json) {
      out.print(HardwareJson.text(report.toJson()));
      out.flush();
    } else {
      report.print(out);
      out.printf("%nkept in %s%s%n", kept, save == null ? "" : " and " + save);
    }
    return ExitCode.OK;
  }

  private Profiling measure(MachineFacts facts) throws IOException, RefusedException {
    PrintWriter err = spec.commandLine().getErr();
    try (OpenedDevices devices =
        OpenedDevices.toMeasure(machine, machine.deviceMemory(), machine.hostMemory())) {
      Machine described =
          new Machine(
              facts.name(),
              "%s, %d threads, %s"
                  .formatted(facts.processor(), facts.cores(), devices.device().facts().details()),
              facts.cores(),
              facts.memoryBytes(),
              Optional.of(machine.temporary()));
      return new Profiler(
              devices.device(),
              devices.host(),
              described,
              Shapes.usual(),
              effort,
              what -> err.println("measuring " + what))
          .measure();
    }
  }
}
