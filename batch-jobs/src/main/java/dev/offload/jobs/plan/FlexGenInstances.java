package dev.offload.jobs.plan;

import dev.offload.jobs.rows.JsonLines;
import dev.offload.jobs.rows.RawRow;
import dev.offload.jobs.rows.RowException;
import dev.offload.planner.flexgen.FlexGenInstance;
import dev.offload.planner.flexgen.FlexGenProgram;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;

/** Solves the instances of a file one after the other, holding one at a time. */
public final class FlexGenInstances {
  private FlexGenInstances() {}

  /**
   * Prints one line per instance, in the order of the file.
   *
   * @throws RowException naming line, field and value of the first instance that cannot be read;
   *     the answers before it are printed
   */
  public static void solve(Path file, PrintWriter out) throws IOException, RowException {
    try (JsonLines lines = JsonLines.open(file)) {
      for (Optional<RawRow> row = lines.next(); row.isPresent(); row = lines.next()) {
        out.println(FlexGenAnswer.line(FlexGenProgram.solve(instance(row.get()))));
      }
    } finally {
      out.flush();
    }
  }

  private static FlexGenInstance instance(RawRow row) throws RowException {
    try {
      return FlexGenRow.read(row.fields());
    } catch (RowException e) {
      throw new RowException("line " + row.line() + ": " + e.getMessage(), e);
    }
  }
}
