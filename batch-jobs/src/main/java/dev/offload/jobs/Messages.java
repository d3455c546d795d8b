package dev.offload.jobs;

import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever went wrong into one message and an exit code; stack traces need --verbose. */
final class Messages implements IParameterExceptionHandler, IExecutionExceptionHandler {
  /** The option that shows stack traces. */
  static final String VERBOSE = "--verbose";

  @Override
  public int handleParseException(ParameterException found, String[] args) {
    CommandLine command = found.getCommandLine();
    List<String> unknown = command.getUnmatchedArguments();
    // Who misspelt a required option left it out too; the former is the mistake.
    ParameterException mistake =
        found instanceof MissingParameterException && !unknown.isEmpty()
            ? new UnmatchedArgumentException(command, unknown)
            : found;
    command.getErr().println("offload: " + mistake.getMessage());
    UnmatchedArgumentException.printSuggestions(mistake, command.getErr());
    command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return ExitCode.REFUSED;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    boolean verbose = verbose(parsed);
    command.getErr().println("offload: " + text(failure, verbose));
    trace(failure, verbose, command.getErr());
    return failure instanceof RefusedException ? ExitCode.REFUSED : ExitCode.FAILED;
  }

  /** Prints where a failure comes from, if that is asked for. */
  static void trace(Throwable failure, boolean verbose, PrintWriter to) {
    if (verbose) {
      failure.printStackTrace(to);
    }
  }

  private static boolean verbose(ParseResult parsed) {
    return parsed.hasMatchedOption(VERBOSE)
        || (parsed.hasSubcommand() && verbose(parsed.subcommand()));
  }

  private static String text(Exception failure, boolean verbose) {
    if (failure instanceof RefusedException) {
      return failure.getMessage();
    }
    return plain(failure) + (verbose ? "" : "\nRun again with --verbose to see where.");
  }

  /** What a failure says, for people: no class names where the message speaks for itself. */
  static String plain(Throwable failure) {
    return switch (failure) {
      case UncheckedIOException e -> plain(e.getCause());
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> e.getFile() + ": access denied";
      case FileSystemException e -> e.getMessage();
      case Throwable e when e.getMessage() == null -> e.toString();
      case IOException e -> e.getMessage();
      case RefusedException e -> e.getMessage();
      case ModelException e -> e.getMessage();
      case IllegalArgumentException e -> e.getMessage();
      case IllegalStateException e -> e.getMessage();
      default -> failure.toString();
    };
  }
}
