package dev.offload.jobs;

import dev.offload.jobs.report.JobReport;
import dev.offload.jobs.report.ReportPage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * A file for the report of a job, page or JSON by its ending, which appears whole or not at all.
 */
record ReportFile(Path file) {
  private static final String PAGE = ".html";
  private static final String DATA = ".json";

  /** Refuses a name that cannot be written to, or that belongs to something else. */
  void check(JobFiles files, StartMode mode) throws RefusedException {
    if (!endsWith(PAGE) && !endsWith(DATA)) {
      throw new RefusedException(
          "--report " + file + " must end in " + PAGE + " (a page) or " + DATA + " (data)");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new RefusedException(
          "--report " + file + " is not a file in a folder that can be written to");
    }
    files.requireApart("--report", file);
    if (mode == StartMode.NEW && Files.exists(file)) {
      throw new RefusedException(
          "--report " + file + " exists; name another file, or give --overwrite to replace it");
    }
  }

  /** Writes the report. */
  void write(JobReport report) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    String text = endsWith(PAGE) ? ReportPage.html(report) : report.toJson() + "\n";
    // Halves of pairs in texts from outside become question marks; writeString would refuse them.
    Files.write(partial, text.getBytes(StandardCharsets.UTF_8));
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private boolean endsWith(String ending) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending);
  }
}
