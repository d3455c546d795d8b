package dev.offload.jobs;

import dev.offload.jobs.journal.OrderedOutput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of a job. The journal and the lock stand beside the output and are named after it.
 *
 * @param input rows
 * @param output answers
 * @param errors rows that were refused
 */
record JobFiles(Path input, Path output, Path errors) {

  /** The error file of an output if none is named: {@code out.jsonl} → {@code out.errors.jsonl}. */
  static Path errorsBeside(Path output) {
    String name = output.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return errorsBeside(output, dot > 0 ? name.substring(dot) : "");
  }

  /** As {@link #errorsBeside(Path)}, with an ending that says how errors are written. */
  static Path errorsBeside(Path output, String ending) {
    String name = output.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return output.resolveSibling((dot > 0 ? name.substring(0, dot) : name) + ".errors" + ending);
  }

  Path journal() {
    return beside(".journal");
  }

  Path lock() {
    return beside(".lock");
  }

  /** Where an output that is not lines is put together before it gets its name. */
  Path whole() {
    return beside(".whole");
  }

  private Path beside(String ending) {
    return output.resolveSibling(output.getFileName() + ending);
  }

  /** The folder the output is in. */
  Path folder() {
    return output.toAbsolutePath().getParent();
  }

  /** Refuses what cannot work, before anything is written. */
  void check() throws RefusedException, IOException {
    if (!Files.isRegularFile(input) || !Files.isReadable(input)) {
      String why = Files.exists(input) ? "cannot be read as a file" : "does not exist";
      throw new RefusedException("--input " + input + " " + why);
    }
    checkTarget("--output", output);
    checkTarget("--errors", errors);
    if (same(output, input) || same(errors, input)) {
      throw new RefusedException("--input " + input + " would be overwritten; name another file");
    }
    if (output.toAbsolutePath().normalize().equals(errors.toAbsolutePath().normalize())) {
      throw new RefusedException("--output and --errors are both " + output);
    }
  }

  /** Refuses a file of something else that this job reads or writes. */
  void requireApart(String option, Path file) throws RefusedException {
    for (Path own :
        List.of(input, output, errors, OrderedOutput.partial(output), journal(), lock(), whole())) {
      if (own.toAbsolutePath().normalize().equals(file.toAbsolutePath().normalize())) {
        throw new RefusedException(option + " " + file + " is another file of the job; name one");
      }
    }
  }

  private static void checkTarget(String option, Path file) throws RefusedException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new RefusedException(option + " " + file + " is a folder; name a file");
    }
    if (!Files.isDirectory(folder)) {
      throw new RefusedException(
          option + " " + file + ": the folder " + folder + " does not exist");
    }
    if (!Files.isWritable(folder)) {
      throw new RefusedException(
          option + " " + file + ": the folder " + folder + " cannot be written to");
    }
  }

  private static boolean same(Path one, Path other) throws IOException {
    return Files.exists(one) && Files.isSameFile(one, other);
  }
}
