package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.FeedForward;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The least time a load can take with everything on the device: prompts at the measured matrix rate
 * of each shape, and each decode step at that rate or at the measured memory bandwidth, whichever
 * is slower. Attention, norms and sampling are counted as free.
 */
final class BenchBound {
  private final ModelConfig config;
  private final List<WeightUnit> units;
  private final Ceilings ceilings;
  private final DType dtype;

  BenchBound(ModelConfig config, List<WeightUnit> units, DType dtype) {
    this.config = config;
    this.units = units;
    this.ceilings = new Ceilings(dtype);
    this.dtype = dtype;
  }

  /** Measures all ceilings of a device, once more if they have been. */
  void measure(Device device) {
    Set<List<Integer>> shapes = new LinkedHashSet<>();
    for (WeightUnit unit : units) {
      for (Parameter each : unit.parameters()) {
        if (each.isMatrix() && unit.id().kind() != UnitId.Kind.EMBEDDING) {
          shapes.add(List.of(each.rows(), each.columns()));
        }
      }
    }
    for (List<Integer> shape : shapes) {
      ceilings.measureProduct(device, shape.getFirst(), shape.getLast());
    }
    ceilings.measureReading(device);
    ceilings.measureCopying(device);
  }

  /**
   * Prompt and generated tokens per second, at most.
   *
   * @param promptTokens of all requests, those that they share counted as often as computed
   * @param level of the ceilings that counts
   */
  double tokensPerSecond(BenchLoad load, long promptTokens, Ceilings.Level level) {
    double tokens = promptTokens + (double) load.requests() * load.generatedTokens();
    // Only the last token of a prompt needs logits.
    double prefillSeconds = computeSeconds((double) promptTokens, load.requests(), level);
    return tokens / (prefillSeconds + decodeSeconds(load, level));
  }

  /** Bytes of weights per second that can be copied to the device. */
  double copiedBytesPerSecond() {
    return ceilings.copiedBytesPerSecond(Ceilings.Level.BEST);
  }

  /** The first token comes out of the prompt; the others take a step each. */
  private double decodeSeconds(BenchLoad load, Ceilings.Level level) {
    int batch = load.requests();
    double step =
        Math.max(
            computeSeconds(batch, batch, level), bytesRead(batch) / ceilings.bytesPerSecond(level));
    return step * (load.generatedTokens() - 1);
  }

  private double computeSeconds(double rows, double headRows, Ceilings.Level level) {
    double seconds = 0;
    for (WeightUnit unit : units) {
      double unitRows =
          switch (unit.id().kind()) {
            case EMBEDDING -> 0;
            case HEAD, OUTPUT -> headRows;
            case EXPERT -> rows * chosenShare(unit.id());
            case ATTENTION, MLP, ROUTER, SHARED_EXPERT -> rows;
          };
      for (Parameter each : unit.parameters()) {
        if (each.isMatrix() && unitRows > 0) {
          seconds += unitRows * ceilings.secondsPerRow(each.rows(), each.columns(), level);
        }
      }
    }
    return seconds;
  }

  /** Bytes of weights that a step with this many tokens has to read. */
  private double bytesRead(int batch) {
    double bytes = 0;
    for (WeightUnit unit : units) {
      double share =
          unit.id().kind() == UnitId.Kind.EXPERT
              ? 1 - Math.pow(1 - chosenShare(unit.id()), batch)
              : 1;
      for (Parameter each : unit.parameters()) {
        boolean lookedUp = each.role() == Role.TOKEN_TABLE || each.role() == Role.POSITION_TABLE;
        bytes += lookedUp ? 0 : share * each.rows() * each.columns() * dtype.bytes();
      }
    }
    return bytes;
  }

  /** Share of the tokens that one expert gets if all are equally popular. */
  private double chosenShare(UnitId expert) {
    FeedForward feedForward = config.layers().get(expert.layer()).feedForward();
    return feedForward instanceof MixtureOfExperts mixture
        ? (double) mixture.expertsPerToken() / mixture.experts()
        : 1;
  }
}
