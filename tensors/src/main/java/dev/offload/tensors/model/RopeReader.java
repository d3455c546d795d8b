package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;
import java.util.List;
import java.util.Optional;

/**
 * Reads the rotary embedding of a configuration, in the layout of transformers 4 ({@code
 * rope_theta} beside {@code rope_scaling}) or 5 (all in {@code rope_parameters}).
 */
final class RopeReader {
  private static final double HUGE = 1e12;

  /** A base of 1 would make all frequencies equal. */
  private static final double MIN_BASE = 1.01;

  private final JsonFields config;
  private final int headDim;
  private final int context;
  private boolean interleaved;

  /**
   * A reader.
   *
   * @param config the whole configuration
   * @param headDim width of one head
   * @param context {@code max_position_embeddings}
   */
  RopeReader(JsonFields config, int headDim, int context) {
    this.config = config;
    this.headDim = headDim;
    this.context = context;
  }

  /** Rotated pairs are neighbours. */
  RopeReader interleaved() {
    interleaved = true;
    return this;
  }

  /** The only rope of a model that names its base {@code rope_theta}. */
  Rope read(double defaultBase) {
    return read(defaultBase, 1);
  }

  /** The only rope of a model that may rotate but a part of each head. */
  Rope read(double defaultBase, double defaultShare) {
    double base = config.number("rope_theta", MIN_BASE, HUGE, defaultBase);
    double share = config.number("partial_rotary_factor", 0, 1, defaultShare);
    Optional<JsonFields> parameters = config.object("rope_parameters");
    if (parameters.isPresent()) {
      return of(parameters.get(), base, share);
    }
    return of(config.object("rope_scaling"), base, share);
  }

  /** A rope from {@code rope_parameters} or one entry of it. */
  Rope of(JsonFields parameters, double defaultBase, double defaultShare) {
    return of(
        Optional.of(parameters),
        parameters.number("rope_theta", MIN_BASE, HUGE, defaultBase),
        parameters.number("partial_rotary_factor", 0, 1, defaultShare));
  }

  /** A rope with this base and scaling, if there is one. */
  Rope of(Optional<JsonFields> scaling, double base, double share) {
    int dimensions = (int) (headDim * share);
    Rope.Scaling read = scaling.map(fields -> scaling(fields, dimensions)).orElse(new Rope.None());
    return new Rope(dimensions, base, interleaved, read);
  }

  private Rope.Scaling scaling(JsonFields fields, int dimensions) {
    String field = fields.has("rope_type") ? "rope_type" : "type";
    String type =
        fields.text(field).orElseThrow(() -> fields.refuse("rope_type", "must name the scaling"));
    if (fields.has("alpha")) {
      throw fields.refuse("alpha", "is not supported");
    }
    return switch (type) {
      case "default" -> new Rope.None();
      case "linear" -> new Rope.Linear(factor(fields));
      case "dynamic" -> new Rope.Dynamic(factor(fields), context);
      case "llama3" -> llama3(fields);
      case "yarn" -> yarn(fields);
      case "longrope", "su" -> longrope(fields, dimensions / 2);
      default ->
          throw fields.refuse(
              field,
              "is not supported; supported are default, linear, dynamic, llama3, yarn, longrope");
    };
  }

  private static double factor(JsonFields fields) {
    return fields.number("factor", 1e-6, 1e6);
  }

  private int originalContext(JsonFields fields) {
    return fields.integer("original_max_position_embeddings", 1, Limits.CONTEXT, context);
  }

  private Rope.Scaling llama3(JsonFields fields) {
    double low = fields.number("low_freq_factor", 1e-6, 1e6);
    double high = fields.number("high_freq_factor", 1e-6, 1e6);
    if (high <= low) {
      throw fields.refuse("high_freq_factor", "must be above low_freq_factor, " + low);
    }
    return new Rope.Llama3(factor(fields), low, high, originalContext(fields));
  }

  private Rope.Scaling yarn(JsonFields fields) {
    double factor = factor(fields);
    return new Rope.Yarn(
        factor,
        originalContext(fields),
        fields.number("beta_fast", 1e-6, 1e6, 32),
        fields.number("beta_slow", 1e-6, 1e6, 1),
        fields.number("attention_factor", 0, 1e6, yarnAttentionFactor(fields, factor)),
        fields.flag("truncate", true));
  }

  private static double yarnAttentionFactor(JsonFields fields, double factor) {
    double mscale = fields.number("mscale", 0, 1e6, 0);
    double mscaleAllDim = fields.number("mscale_all_dim", 0, 1e6, 0);
    return mscale != 0 && mscaleAllDim != 0
        ? yarnMscale(factor, mscale) / yarnMscale(factor, mscaleAllDim)
        : yarnMscale(factor, 1);
  }

  /** Equation 22 of arXiv 2309.00071, with the weight DeepSeek added. */
  static double yarnMscale(double factor, double mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
  }

  private Rope.Scaling longrope(JsonFields fields, int frequencies) {
    int original =
        config.integer(
            "original_max_position_embeddings", 1, Limits.CONTEXT, originalContext(fields));
    double ratio = (double) context / original;
    double defaultFactor =
        ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(Math.max(2, original)));
    return new Rope.Longrope(
        factors(fields, "short_factor", frequencies),
        factors(fields, "long_factor", frequencies),
        original,
        fields.number("attention_factor", 0, 1e6, defaultFactor));
  }

  private static List<Double> factors(JsonFields fields, String name, int frequencies) {
    List<Double> factors = fields.numbers(name, 1e-6, HUGE);
    if (factors.size() != frequencies) {
      throw fields.refuse(
          name, "has " + factors.size() + " numbers, must have one per frequency, " + frequencies);
    }
    return factors;
  }
}
