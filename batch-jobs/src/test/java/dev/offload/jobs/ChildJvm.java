package dev.offload.jobs;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command lines of programs that run in a JVM of their own, with this one's classes and flags. */
final class ChildJvm {
  private ChildJvm() {}

  /** The command line of a class with a {@code main} method. */
  static List<String> command(Class<?> program, Object... arguments) {
    return command(List.of(), program, arguments);
  }

  /** As above, with further flags. */
  static List<String> command(List<String> flags, Class<?> program, Object... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--"))
        .forEach(command::add);
    command.addAll(flags);
    command.addAll(List.of("-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(program.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  /** The same for a shell. */
  static String shell(List<String> command) {
    List<String> quoted = command.stream().map(each -> "'" + each + "'").toList();
    return String.join(" ", quoted);
  }
}
