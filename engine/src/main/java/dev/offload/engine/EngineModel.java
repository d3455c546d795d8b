package dev.offload.engine;

import dev.offload.engine.weights.CheckpointFiller;
import dev.offload.engine.weights.SourceFiller;
import dev.offload.engine.weights.UnitFiller;
import dev.offload.planner.Plan;
import dev.offload.tensors.Tier;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightSource;
import dev.offload.tensors.weights.WeightUnit;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A model as an engine takes it.
 *
 * @param config what it is
 * @param units its weight units in model order, the output matrix in slices
 * @param weights where their numbers come from
 * @param checkpoint the files behind them; without files no unit can live on disk
 * @param directReads whether passes read the files past the page cache; if not, what the machine
 *     has memory for beyond the budgets comes from there
 * @param leastMappedBytes matrices at home in host memory stay in the page cache, pinned, where
 *     device and files allow that, if the parts of which they are put together have so many bytes
 *     or more; empty if they are copied to memory of the engine's own
 */
public record EngineModel(
    ModelConfig config,
    List<WeightUnit> units,
    WeightSource weights,
    Optional<Checkpoint> checkpoint,
    boolean directReads,
    OptionalLong leastMappedBytes) {
  /** Smaller copies to a device lose much of their speed: 13 % at this size on an H200. */
  private static final long USUAL_LEAST_MAPPED_BYTES = 1L << 20;

  public EngineModel {
    units = List.copyOf(units);
  }

  /** A model whose weights at home in host memory are copied to memory of the engine's own. */
  public EngineModel(
      ModelConfig config,
      List<WeightUnit> units,
      WeightSource weights,
      Optional<Checkpoint> checkpoint,
      boolean directReads) {
    this(config, units, weights, checkpoint, directReads, OptionalLong.empty());
  }

  /** The same with weights at home in host memory left in the page cache where that is possible. */
  public EngineModel mapped() {
    return mapped(USUAL_LEAST_MAPPED_BYTES);
  }

  EngineModel mapped(long leastBytes) {
    return new EngineModel(
        config, units, weights, checkpoint, directReads, OptionalLong.of(leastBytes));
  }

  /** A model with the weights of its folder, which must stay open. */
  public static EngineModel of(ModelFolder folder) {
    return of(folder, false);
  }

  /** The same, read past the page cache, so that what is measured is the disk. */
  public static EngineModel ofDisk(ModelFolder folder) {
    return of(folder, true);
  }

  private static EngineModel of(ModelFolder folder, boolean directReads) {
    return new EngineModel(
        folder.config(),
        OutputSlices.cut(folder.units()),
        folder.weights(),
        folder.checkpoint(),
        directReads);
  }

  /** A model with made-up weights, for measurements. */
  public static EngineModel random(ModelFolder folder, RandomSource weights) {
    return new EngineModel(
        folder.config(), OutputSlices.cut(folder.units()), weights, Optional.empty(), false);
  }

  /** A model that is only planned with: there are no weights to read. */
  public static EngineModel planned(ModelShape shape) {
    return new EngineModel(
        shape.config(),
        OutputSlices.cut(shape.units()),
        (parameter, _, _) -> {
          throw new IllegalStateException(
              "a model that is only planned with has no " + parameter.role());
        },
        Optional.empty(),
        false);
  }

  /** The units that passes read from files; lookup tables are never among them. */
  public List<WeightUnit> unitsOnDisk(Plan plan) {
    return units.stream()
        .filter(
            unit ->
                unit.id().kind() != UnitId.Kind.EMBEDDING || unit.find(Role.PROJECT_IN).isPresent())
        .filter(unit -> plan.placement().get(unit.id()) == Tier.DISK)
        .toList();
  }

  UnitFiller filler() {
    return checkpoint
        .<UnitFiller>map(files -> new CheckpointFiller(files, directReads, leastMappedBytes))
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
