package dev.offload.jobs;

import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever went wrong into one message and an exit code; stack traces need --verbose. */
final class Messages implements IParameterExceptionHandler, IExecutionExceptionHandler {

  @Override
  public int handleParseException(ParameterException mistake, String[] args) {
    CommandLine command = mistake.getCommandLine();
    command.getErr().println("offload: " + mistake.getMessage());
    UnmatchedArgumentException.printSuggestions(mistake, command.getErr());
    command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return ExitCode.REFUSED;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    boolean verbose = parsed.hasMatchedOption("--verbose");
    command.getErr().println("offload: " + text(failure, verbose));
    if (verbose) {
      failure.printStackTrace(command.getErr());
    }
    return failure instanceof RefusedException ? ExitCode.REFUSED : ExitCode.FAILED;
  }

  private static String text(Exception failure, boolean verbose) {
    if (failure instanceof RefusedException) {
      return failure.getMessage();
    }
    String hint = verbose ? "" : "\nRun again with --verbose to see where.";
    return failure + hint;
  }
}
