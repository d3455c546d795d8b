package dev.offload.engine;

import dev.offload.engine.weights.CheckpointFiller;
import dev.offload.engine.weights.SourceFiller;
import dev.offload.engine.weights.UnitFiller;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightSource;
import dev.offload.tensors.weights.WeightUnit;
import java.util.List;
import java.util.Optional;

/**
 * A model as an engine takes it.
 *
 * @param config what it is
 * @param units its weight units in model order
 * @param weights where their numbers come from
 * @param checkpoint the files behind them; without files no unit can live on disk
 */
public record EngineModel(
    ModelConfig config,
    List<WeightUnit> units,
    WeightSource weights,
    Optional<Checkpoint> checkpoint) {
  public EngineModel {
    units = List.copyOf(units);
  }

  /** A model with the weights of its folder, which must stay open. */
  public static EngineModel of(ModelFolder folder) {
    return new EngineModel(folder.config(), folder.units(), folder.weights(), folder.checkpoint());
  }

  /** A model with made-up weights, for measurements. */
  public static EngineModel random(ModelFolder folder, long seed) {
    return new EngineModel(
        folder.config(), folder.units(), new RandomSource(seed, 0.02f), Optional.empty());
  }

  UnitFiller filler() {
    return checkpoint
        .<UnitFiller>map(CheckpointFiller::new)
        .orElseGet(() -> new SourceFiller(weights));
  }

  WeightUnit embedding() {
    return units.stream()
        .filter(unit -> unit.id().kind() == UnitId.Kind.EMBEDDING)
        .findFirst()
        .orElseThrow();
  }

  /** Bytes of the lookup tables as stored. */
  long tableBytes() {
    WeightUnit embedding = embedding();
    return embedding.find(Role.TOKEN_TABLE).orElseThrow().bytes()
        + embedding.find(Role.POSITION_TABLE).map(table -> table.bytes()).orElse(0L);
  }
}
