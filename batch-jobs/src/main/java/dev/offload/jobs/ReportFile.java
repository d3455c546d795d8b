package dev.offload.jobs;

import dev.offload.jobs.labels.Confusion;
import dev.offload.jobs.labels.LabelReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/** The page about a labeling job, which appears whole or not at all. */
record ReportFile(Path file) {

  /** Refuses a name that cannot be written to, or that belongs to something else. */
  void check(JobFiles files, StartMode mode) throws RefusedException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new RefusedException(
          "--report " + file + " is not a file in a folder that can be written to");
    }
    for (Path other : List.of(files.input(), files.output(), files.errors())) {
      if (other.toAbsolutePath().normalize().equals(file.toAbsolutePath().normalize())) {
        throw new RefusedException("--report " + file + " is another file of the job");
      }
    }
    if (mode == StartMode.NEW && Files.exists(file)) {
      throw new RefusedException(
          "--report " + file + " exists; name another file, or give --overwrite to replace it");
    }
  }

  /**
   * Writes the page.
   *
   * @param facts about the job, name to value
   */
  void write(Map<String, String> facts, Confusion confusion) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    Files.writeString(partial, LabelReport.html(facts, confusion));
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
