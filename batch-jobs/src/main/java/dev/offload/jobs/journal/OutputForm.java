package dev.offload.jobs.journal;

import java.io.IOException;
import java.nio.file.Path;

/** What becomes of an output once all its lines are there. */
@FunctionalInterface
public interface OutputForm {
  /** The lines are the output. */
  OutputForm LINES = lines -> lines;

  /**
   * Makes the file that gets the output's name. It may be called again after a kill.
   *
   * @param lines the whole output as lines
   * @return the lines themselves, or a new file in the same folder
   */
  Path whole(Path lines) throws IOException;
}
