package dev.offload.planner.search;

import dev.offload.planner.Workload;
import dev.offload.planner.search.Candidate.Whole;
import java.util.Optional;

/**
 * Room in a pass for prompts that begin together. Plans are made for the middle of a job, where a
 * few prompts ride along with each pass. In a short job most begin at once and would take many
 * passes to be computed, so its passes are made larger as long as that shortens the job, what the
 * larger workspace displaces included.
 */
final class RoomToBegin {
  /** A job that becomes this little shorter is as long. */
  private static final double GAINS_NOTHING = 0.01;

  private RoomToBegin() {}

  /** The plan with so many tokens in a pass that the job is shortest. */
  static Whole forJob(Whole steady, Workload workload, long requests) {
    Design design = steady.candidate().design();
    long together = Math.min(design.sequences(), requests);
    double all = Math.ceil(together * workload.meanPromptTokens() / design.groups());
    double prompts = Math.min(Design.MOST_TOKENS, all);
    Whole best = steady;
    double seconds = JobTime.seconds(steady, workload, requests);
    for (double tokens = design.microBatchTokens(); tokens < prompts; ) {
      tokens = Math.min(prompts, 2 * tokens);
      Optional<Whole> roomier = withTokens(steady, (int) tokens);
      if (roomier.isEmpty()) { // no memory for larger passes
        return best;
      }
      double then = JobTime.seconds(roomier.get(), workload, requests);
      if (then > seconds * (1 - GAINS_NOTHING)) {
        return best;
      }
      best = roomier.get();
      seconds = then;
    }
    return best;
  }

  private static Optional<Whole> withTokens(Whole whole, int microBatchTokens) {
    return whole
        .candidate()
        .withMicroBatchTokens(microBatchTokens)
        .flatMap(each -> each.round(whole.split()));
  }
}
