package dev.offload.jobs;

import dev.offload.constraint.TextConstraint;
import dev.offload.jobs.rows.Labels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say what labels may be; one of them is given. */
final class LabelKinds {
  @Option(
      names = "--labels",
      paramLabel = "A,B,…",
      description = "What to choose from. The first of equally probable labels is chosen.")
  private String inline;

  @Option(names = "--labels-file", paramLabel = "FILE", description = "The same, one per line.")
  private Path file;

  @Option(
      names = "--regex",
      paramLabel = "REGEX",
      description = "Labels are written by the model, such that this matches all of each.")
  private String regex;

  @Option(
      names = "--json-schema",
      paramLabel = "FILE",
      description = "Labels are JSON written by the model, valid against this schema.")
  private Path schema;

  /** Whether labels are written, not chosen from a list. */
  boolean areWritten() {
    return regex != null || schema != null;
  }

  /** The labels to choose from. */
  Labels labels(String suffix) throws RefusedException, IOException {
    List<String> names =
        inline != null
            ? List.of(inline.split(",", -1))
            : TextFile.read("--labels-file", file).lines().toList();
    try {
      return new Labels(names.stream().map(String::strip).toList(), suffix);
    } catch (IllegalArgumentException e) {
      String option = inline != null ? "--labels" : "--labels-file " + file;
      throw new RefusedException(option + ": " + e.getMessage(), e);
    }
  }

  /** What written labels must be. */
  LabelText text() throws RefusedException, IOException {
    String source = regex != null ? regex : TextFile.read("--json-schema", schema);
    try {
      return regex != null
          ? new LabelText(TextConstraint.regex(source), false, source)
          : new LabelText(TextConstraint.jsonSchema(source), true, source);
    } catch (IllegalArgumentException e) {
      String option = regex != null ? "--regex" : "--json-schema " + schema;
      throw new RefusedException(option + ": " + e.getMessage(), e);
    }
  }
}
