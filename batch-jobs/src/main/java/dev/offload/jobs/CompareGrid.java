package dev.offload.jobs;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.planner.Lane;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Comparisons under many combinations of options, a line of a file each, and their medians. */
final class CompareGrid {
  private static final Set<String> OF_THE_WHOLE = Set.of("--grid", "--json", "--html");

  /** A lane's error above which it counts as not forecast. */
  private static final double WIDE = 0.15;

  private final CommandLine command;

  /** What one line gave. */
  private record Entry(String name, Comparison comparison) {}

  /**
   * @param command as it was parsed: its options count for all lines that do not give them
   */
  CompareGrid(CommandLine command) {
    this.command = command;
  }

  /** Prints a line for each combination as soon as it is done, then medians; both as JSON too. */
  int run(Path file, boolean json) throws RefusedException {
    PrintWriter out = command.getOut();
    List<Entry> entries = new ArrayList<>();
    List<String> lines = lines(file);
    if (!json) {
      out.print(heading());
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#")) {
        Entry entry = new Entry(line, compare(file, i + 1, line));
        entries.add(entry);
        out.print(json ? toJson(entry) + "\n" : text(entry));
        out.flush();
      }
    }
    if (!entries.isEmpty()) {
      out.print(json ? summary(entries) + "\n" : medians(entries));
      out.flush();
    }
    return ExitCode.OK;
  }

  private static List<String> lines(Path file) throws RefusedException {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new RefusedException("--grid " + file + " cannot be read: " + Messages.plain(e), e);
    }
  }

  private Comparison compare(Path file, int number, String line) throws RefusedException {
    List<String> arguments = new ArrayList<>(commonOptions());
    arguments.add("--compare");
    arguments.addAll(Arrays.asList(line.split("\\s+")));
    BenchCommand bench = new BenchCommand();
    try {
      new CommandLine(bench)
          .setCaseInsensitiveEnumValuesAllowed(true)
          .setOverwrittenOptionsAllowed(true)
          .parseArgs(arguments.toArray(String[]::new));
      return bench.compare();
    } catch (ParameterException | RefusedException e) {
      throw new RefusedException(
          "--grid %s, line %d: %s".formatted(file, number, e.getMessage()), e);
    }
  }

  private List<String> commonOptions() {
    List<String> options = new ArrayList<>();
    for (OptionSpec option : command.getParseResult().matchedOptions()) {
      if (!OF_THE_WHOLE.contains(option.longestName())) {
        boolean isFlag = option.arity().max() == 0;
        options.add(
            isFlag
                ? option.longestName()
                : option.longestName() + "=" + option.originalStringValues().getLast());
      }
    }
    return options;
  }

  private static String heading() {
    StringBuilder text = new StringBuilder("%10s %10s %8s".formatted("measured", "forecast", ""));
    for (Lane lane : Lane.values()) {
      text.append("%9s".formatted(Comparison.name(lane)));
    }
    return text.append("\n").toString();
  }

  private static String text(Entry entry) {
    Comparison.Both tokens = entry.comparison().tokensPerSecond();
    StringBuilder text =
        new StringBuilder("%,10.1f %,10.1f".formatted(tokens.measured(), tokens.predicted()));
    text.append("%9s".formatted(Comparison.percent(OptionalDouble.of(tokens.error()))));
    for (Lane lane : Lane.values()) {
      text.append("%9s".formatted(Comparison.percent(entry.comparison().error(lane))));
    }
    return text.append("  ").append(entry.name()).append("\n").toString();
  }

  private static String medians(List<Entry> entries) {
    StringBuilder text = new StringBuilder("%n%,d combinations%n".formatted(entries.size()));
    append(text, "tokens/s", errors(entries));
    for (Lane lane : Lane.values()) {
      append(text, "lane " + Comparison.name(lane), errors(entries, lane));
    }
    double[] all = laneErrors(entries);
    append(text, "all lanes", all);
    text.append("%d lanes are off by more than %.0f %%%n".formatted(wide(all), 100 * WIDE));
    if (entries.getFirst().comparison().rounds().size() > 1) {
      text.append(
          "runs of one combination differ by %.1f %% in tokens/s, %.1f %% at most%n"
              .formatted(
                  100 * Comparison.median(spreads(entries)),
                  100 * Arrays.stream(spreads(entries)).max().orElseThrow()));
    }
    return text.toString();
  }

  private static double[] errors(List<Entry> entries) {
    return entries.stream()
        .mapToDouble(entry -> Math.abs(entry.comparison().tokensPerSecond().error()))
        .toArray();
  }

  private static double[] spreads(List<Entry> entries) {
    return entries.stream().mapToDouble(entry -> entry.comparison().spread()).toArray();
  }

  private static double[] errors(List<Entry> entries, Lane lane) {
    return entries.stream()
        .map(entry -> entry.comparison().error(lane))
        .filter(OptionalDouble::isPresent)
        .mapToDouble(error -> Math.abs(error.getAsDouble()))
        .toArray();
  }

  private static double[] laneErrors(List<Entry> entries) {
    return Arrays.stream(Lane.values())
        .flatMapToDouble(lane -> Arrays.stream(errors(entries, lane)))
        .toArray();
  }

  private static long wide(double[] errors) {
    return Arrays.stream(errors).filter(error -> error > WIDE).count();
  }

  private static void append(StringBuilder text, String what, double[] errors) {
    if (errors.length > 0) {
      text.append(
          "%-10s median error %5.1f %%, largest %5.1f %%, of %d%n"
              .formatted(
                  what,
                  100 * Comparison.median(errors),
                  100 * Arrays.stream(errors).max().orElseThrow(),
                  errors.length));
    }
  }

  private static String toJson(Entry entry) {
    ObjectNode json = new JsonMapper().createObjectNode();
    json.put("options", entry.name());
    entry.comparison().addTo(json);
    return json.toString();
  }

  private static String summary(List<Entry> entries) {
    double[] tokens = errors(entries);
    double[] lanes = laneErrors(entries);
    ObjectNode json = new JsonMapper().createObjectNode();
    ObjectNode all = json.putObject("all");
    all.put("combinations", entries.size());
    all.put("median_error", Comparison.median(tokens));
    all.put("largest_error", Arrays.stream(tokens).max().orElseThrow());
    all.put("median_spread", Comparison.median(spreads(entries)));
    all.put("largest_spread", Arrays.stream(spreads(entries)).max().orElseThrow());
    all.put("lanes", lanes.length);
    if (lanes.length > 0) {
      all.put("median_lane_error", Comparison.median(lanes));
      all.put("largest_lane_error", Arrays.stream(lanes).max().orElseThrow());
    }
    all.put("lanes_off_by_more_than_15_percent", wide(lanes));
    ObjectNode byLane = all.putObject("by_lane");
    for (Lane lane : Lane.values()) {
      double[] of = errors(entries, lane);
      if (of.length > 0) {
        byLane
            .putObject(Comparison.name(lane))
            .put("combinations", of.length)
            .put("median_error", Comparison.median(of))
            .put("largest_error", Arrays.stream(of).max().orElseThrow());
      }
    }
    return json.toString();
  }
}
