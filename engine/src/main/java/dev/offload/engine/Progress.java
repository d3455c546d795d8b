package dev.offload.engine;

import dev.offload.planner.Lane;
import java.util.Map;

/**
 * How far a job has come; handed out after every pass.
 *
 * @param passes passes so far
 * @param rowsFinished rows finished so far
 * @param sequencesRunning sequences in the last pass
 * @param promptTokens prompt tokens computed so far
 * @param sharedPromptTokens prompt tokens not computed, as another sequence with the same prefix
 *     was
 * @param generatedTokens tokens generated so far; of choices, places in them that were scored
 * @param elapsedNanos since the first token went in
 * @param prefillNanos time of the passes that computed prompt tokens, in proportion to those
 * @param decodeNanos the rest of the time in passes
 * @param choosingNanos time, part of both, in which tokens were chosen and no lane was waited for
 * @param diskBytes bytes read from weight files during passes
 * @param busyShares busy share of each lane since then, 0 to 1
 * @param flight sequences in flight since then
 */
public record Progress(
    long passes,
    long rowsFinished,
    int sequencesRunning,
    long promptTokens,
    long sharedPromptTokens,
    long generatedTokens,
    long elapsedNanos,
    long prefillNanos,
    long decodeNanos,
    long choosingNanos,
    long diskBytes,
    Map<Lane, Double> busyShares,
    RunReport.Flight flight) {

  /** Takes progress on the engine's thread; must return quickly. */
  @FunctionalInterface
  public interface Listener {
    void progress(Progress progress);
  }

  /** The lane with the largest busy share. */
  public Lane bottleneck() {
    return busyShares.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(Lane.GPU);
  }
}
