package dev.offload.jobs;

import dev.offload.jobs.journal.Journal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a job does about the traces of an earlier one. */
enum StartMode {
  /** Refuse if there are any. */
  NEW,
  /** Go on from the journal. */
  RESUME,
  /** Replace them; the old output stays until the new one is whole. */
  OVERWRITE;

  /** Refuses files that this mode must not touch. */
  void check(JobFiles files) throws RefusedException, IOException {
    if (this != NEW) {
      return;
    }
    if (Journal.mayHoldRows(files.journal())) {
      throw new RefusedException(
          files.journal()
              + " is left from a job that was interrupted; --resume continues it, --overwrite"
              + " begins again");
    }
    refuseExisting("--output", files.output());
    refuseExisting("--errors", files.errors());
  }

  private static void refuseExisting(String option, Path file) throws RefusedException {
    if (Files.exists(file)) {
      throw new RefusedException(
          option + " " + file + " exists; name another file, or give --overwrite to replace it");
    }
  }

  /** Whether there is nothing left to continue: the output is there, and its journal is gone. */
  boolean isFinished(JobFiles files) {
    return this == RESUME && Files.exists(files.output()) && !Files.exists(files.journal());
  }
}
