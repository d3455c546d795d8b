package dev.offload.jobs;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** Entry point of the {@code offload} command. */
public final class Main {
  private Main() {}

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(out, err, args));
  }

  /**
   * Runs the command inside this process.
   *
   * @param out where asked-for output goes
   * @param err where progress and messages go
   * @return 0 all well, 1 failure, 2 wrong usage or refused input, 3 some rows failed, 4 stopped
   */
  public static int run(PrintWriter out, PrintWriter err, String... args) {
    Messages messages = new Messages();
    return new CommandLine(new OffloadCommand())
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(messages)
        .setExecutionExceptionHandler(messages)
        .execute(args);
  }
}
