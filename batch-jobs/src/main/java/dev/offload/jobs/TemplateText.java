package dev.offload.jobs;

import dev.offload.jobs.rows.Template;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say where a template stands; one of them is given. */
final class TemplateText {
  @Option(
      names = "--template",
      paramLabel = "TEXT",
      description = {
        "What the label follows; {text} is the row's field text, {{ and }} are braces."
      })
  private String inline;

  @Option(
      names = "--template-file",
      paramLabel = "FILE",
      description = "The same in a file; a line feed at its end is left out.")
  private Path file;

  Template parse() throws RefusedException, IOException {
    String text = inline != null ? inline : TextFile.read("--template-file", file);
    try {
      return Template.parse(inline != null || !text.endsWith("\n") ? text : withoutLineEnd(text));
    } catch (IllegalArgumentException e) {
      String option = inline != null ? "--template" : "--template-file " + file;
      throw new RefusedException(option + ": " + e.getMessage(), e);
    }
  }

  private static String withoutLineEnd(String text) {
    return text.substring(0, text.length() - (text.endsWith("\r\n") ? 2 : 1));
  }
}
