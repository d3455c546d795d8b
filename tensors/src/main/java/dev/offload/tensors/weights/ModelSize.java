package dev.offload.tensors.weights;

import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import java.util.List;

/**
 * How large a model is. A matrix that is both embedding table and output matrix counts once.
 *
 * @param parameters all of them
 * @param activeParameters those that one token needs: without the experts it does not visit
 * @param lookedUpParameters active ones in tables of which a token only reads a row
 * @param cachedBytesPerToken bytes of the KV cache for one token of one sequence, all layers, in
 *     the number format of the config
 * @param growingBytesPerToken those of layers without a window, which keep growing when a sequence
 *     is longer than the window
 * @param storedBytes weights in the published checkpoint with their scales, without layers that
 *     predict further tokens
 */
public record ModelSize(
    long parameters,
    long activeParameters,
    long lookedUpParameters,
    long cachedBytesPerToken,
    long growingBytesPerToken,
    long storedBytes) {

  static ModelSize of(ModelShape shape) {
    ModelConfig config = shape.config();
    List<WeightUnit> once =
        shape.units().stream()
            .filter(unit -> !config.head().tied() || unit.id().kind() != UnitId.Kind.OUTPUT)
            .toList();
    long parameters = once.stream().mapToLong(WeightUnit::elements).sum();
    return new ModelSize(
        parameters,
        parameters - unvisited(config, once),
        lookedUp(config, once),
        cachedBytes(config, config.layers()),
        cachedBytes(
            config,
            config.layers().stream().filter(layer -> layer.attention().window() == 0).toList()),
        once.stream().mapToLong(shape::storedBytes).sum());
  }

  /** Experts of a layer are equally large. */
  private static long unvisited(ModelConfig config, List<WeightUnit> units) {
    return units.stream()
        .filter(unit -> unit.id().kind() == UnitId.Kind.EXPERT)
        .filter(
            unit ->
                config.layers().get(unit.id().layer()).feedForward() instanceof MixtureOfExperts m
                    && unit.id().number() >= m.expertsPerToken())
        .mapToLong(WeightUnit::elements)
        .sum();
  }

  private static long lookedUp(ModelConfig config, List<WeightUnit> units) {
    return units.stream()
        .flatMap(unit -> unit.parameters().stream())
        .filter(
            each ->
                each.role() == Role.POSITION_TABLE
                    || (each.role() == Role.TOKEN_TABLE && !config.head().tied()))
        .mapToLong(Parameter::elements)
        .sum();
  }

  private static long cachedBytes(ModelConfig config, List<Layer> layers) {
    return layers.stream()
        .mapToLong(layer -> (long) layer.attention().cachedNumbers() * config.storedDType().bytes())
        .sum();
  }
}
