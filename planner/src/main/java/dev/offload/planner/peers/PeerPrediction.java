package dev.offload.planner.peers;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;

/**
 * What a peer's loop would take.
 *
 * @param sequences in the block
 * @param generatedTokens per sequence
 * @param prefill seconds of the prompts by what they were spent on; lanes that others waited for,
 *     not those that ran beside
 * @param decode the same for the generated tokens after the first
 */
public record PeerPrediction(
    int sequences,
    int generatedTokens,
    Map<Activity, Double> prefill,
    Map<Activity, Double> decode) {
  public PeerPrediction {
    prefill = Map.copyOf(prefill);
    decode = Map.copyOf(decode);
  }

  public double prefillSeconds() {
    return sum(prefill);
  }

  public double decodeSeconds() {
    return sum(decode);
  }

  /** Generated tokens over the time from the first prompt to the last token. */
  public double tokensPerSecond() {
    return sequences * (double) generatedTokens / (prefillSeconds() + decodeSeconds());
  }

  /** What most of the time goes to. */
  public Activity bottleneck() {
    return Arrays.stream(Activity.values())
        .max(Comparator.comparingDouble(this::seconds))
        .orElseThrow();
  }

  /** Share of all the time that an activity takes. */
  public double share(Activity activity) {
    return seconds(activity) / (prefillSeconds() + decodeSeconds());
  }

  private double seconds(Activity activity) {
    return prefill.getOrDefault(activity, 0.0) + decode.getOrDefault(activity, 0.0);
  }

  private static double sum(Map<Activity, Double> seconds) {
    return seconds.values().stream().mapToDouble(Double::doubleValue).sum();
  }
}
