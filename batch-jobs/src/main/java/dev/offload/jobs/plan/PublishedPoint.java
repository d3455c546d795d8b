package dev.offload.jobs.plan;

import dev.offload.jobs.rows.CheckedFields;
import dev.offload.jobs.rows.RowException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A throughput that somebody measured and published.
 *
 * @param system whose program it was
 * @param model as our examples name it
 * @param gpu the device
 * @param hostBytes memory of the host, if stated
 * @param diskBytes room on the disk, if stated
 * @param promptTokens of each prompt, or their mean
 * @param generatedTokens of each sequence
 * @param tokensPerSecond generated tokens over the time from the first prompt to the last token
 * @param format of weights and cache, if stated
 * @param policy what of the policy is stated
 */
public record PublishedPoint(
    String system,
    String model,
    String gpu,
    OptionalLong hostBytes,
    OptionalLong diskBytes,
    int promptTokens,
    int generatedTokens,
    double tokensPerSecond,
    Optional<String> format,
    Optional<StatedPolicy> policy) {
  private static final int MOST_CHARACTERS = 200;
  private static final int MOST_TOKENS = 10_000_000;
  private static final int MOST_POINTS = 10_000;
  private static final double MOST_GIGABYTES = 1e6;
  private static final double LEAST_RATE = 1e-6;
  private static final double MOST_RATE = 1e12;

  /**
   * The points of a file, as {@code points} in its object.
   *
   * @throws RowException naming the field that is missing or out of range
   */
  static List<PublishedPoint> all(CheckedFields file) throws RowException {
    List<CheckedFields> objects = file.objects("points", MOST_POINTS);
    PublishedPoint[] points = new PublishedPoint[objects.size()];
    for (int i = 0; i < points.length; i++) {
      points[i] = of(objects.get(i));
    }
    return List.of(points);
  }

  private static PublishedPoint of(CheckedFields fields) throws RowException {
    return new PublishedPoint(
        fields.text("system", MOST_CHARACTERS),
        fields.text("model", MOST_CHARACTERS),
        fields.object("hardware").text("gpu", MOST_CHARACTERS),
        gigabytes(fields.object("hardware"), "host_memory_gb"),
        gigabytes(fields.object("hardware"), "disk_gb"),
        fields.whole("prompt_tokens", 1, MOST_TOKENS),
        fields.whole("generated_tokens", 1, MOST_TOKENS),
        fields.number("generated_tokens_per_s", LEAST_RATE, MOST_RATE),
        fields.has("format")
            ? Optional.of(fields.text("format", MOST_CHARACTERS))
            : Optional.empty(),
        fields.has("policy")
            ? Optional.of(StatedPolicy.of(fields.object("policy")))
            : Optional.empty());
  }

  private static OptionalLong gigabytes(CheckedFields hardware, String field) throws RowException {
    return hardware.has(field)
        ? OptionalLong.of((long) (1e9 * hardware.number(field, 1, MOST_GIGABYTES)))
        : OptionalLong.empty();
  }

  /** Whether weights or cache were kept in 4 bits. */
  boolean quantised() {
    return format.filter(text -> text.startsWith("4-bit")).isPresent();
  }
}
