package dev.offload.planner.peers;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * The shape of a model of the OPT family (Zhang et al. 2022, arXiv 2205.01068, table 1).
 *
 * @param name as people write it, in lower case
 * @param layers how many
 * @param hidden width of the hidden state; the feed-forward layer is four times as wide
 */
public record OptModel(String name, int layers, int hidden) {
  private static final long VOCABULARY = 50272;

  /** The models that FlexGen's measurements are of. */
  public static Optional<OptModel> named(String name) {
    return Stream.of(
            new OptModel("opt-6.7b", 32, 4096),
            new OptModel("opt-30b", 48, 7168),
            new OptModel("opt-175b", 96, 12288))
        .filter(model -> model.name.equals(name))
        .findFirst();
  }

  /** Parameters of a layer's four attention matrices. */
  double attentionParameters() {
    return 4.0 * hidden * hidden;
  }

  /** Parameters of a layer's two feed-forward matrices. */
  double feedForwardParameters() {
    return 8.0 * hidden * hidden;
  }

  /** Parameters of the embedding, and of the output matrix, which is loaded by itself. */
  double embeddingParameters() {
    return (double) VOCABULARY * hidden;
  }
}
