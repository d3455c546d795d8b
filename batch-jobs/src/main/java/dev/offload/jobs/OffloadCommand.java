package dev.offload.jobs;

import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command itself: says what there is. */
@Command(
    name = "offload",
    description = "Offline batch inference for language models larger than the GPU.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      GenerateCommand.class,
      LabelCommand.class,
      BenchCommand.class,
      PlanCommand.class,
      ProfileCommand.class,
      InspectCommand.class,
      DevicesCommand.class,
      DoctorCommand.class,
      GenerateCompletion.class
    },
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all is well",
      "1:the program failed (defect, full disk, lost device)",
      "2:wrong usage or refused input",
      "3:the job is done and some rows are in the error file",
      "4:Ctrl-C or SIGTERM stopped the job; run again with --resume"
    })
final class OffloadCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which command to run");
  }
}
