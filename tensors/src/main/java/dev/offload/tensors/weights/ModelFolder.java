package dev.offload.tensors.weights;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ConfigReader;
import dev.offload.tensors.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model as it lies on disk: its configuration, its units, and its weights, if there are any. Owns
 * the mapped files; nothing read from them is used after {@link #close}. Thread-safe.
 *
 * <pre>{@code
 * try (ModelFolder model = ModelFolder.open(Path.of("models/tiny"))) {
 *   WeightSource weights = model.weights();
 *   for (WeightUnit unit : model.units()) { … }
 * }
 * }</pre>
 */
public final class ModelFolder implements AutoCloseable {
  private static final String CONFIG = "config.json";

  private final Path path;
  private final ModelConfig config;
  private final Optional<Checkpoint> checkpoint;
  private final Map<UnitId, WeightUnit> units = new LinkedHashMap<>();

  private ModelFolder(
      Path path, ModelConfig config, Optional<Checkpoint> checkpoint, List<WeightUnit> units) {
    this.path = path;
    this.config = config;
    this.checkpoint = checkpoint;
    units.forEach(unit -> this.units.put(unit.id(), unit));
  }

  /**
   * Opens a folder with configuration and weights, and checks that all tensors the model needs are
   * there in the right shape, and no more in its layers.
   *
   * @throws ModelException if anything in the folder is damaged, dangerous or not supported
   */
  public static ModelFolder open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new ModelException(folder + ": is no folder; name the folder that holds " + CONFIG);
    }
    ModelConfig config = ConfigReader.read(folder.resolve(CONFIG));
    Checkpoint checkpoint = Checkpoint.open(folder);
    try {
      List<WeightUnit> units = UnitList.of(config, checkpoint);
      UnreadTensors.refuse(config, checkpoint, units);
      return new ModelFolder(folder, stored(config, units), Optional.of(checkpoint), units);
    } catch (Throwable e) {
      checkpoint.close();
      throw e;
    }
  }

  /**
   * Describes a model that need not have weights and is to be run, with made-up ones perhaps.
   *
   * @param path a config.json, or the folder that holds it
   * @throws ModelException if it is damaged or cannot be run
   */
  public static ModelFolder fromConfig(Path path) throws IOException {
    Path file = configFile(path);
    ModelConfig config = ConfigReader.read(file);
    Path folder = file.toAbsolutePath().getParent();
    return new ModelFolder(folder, config, Optional.empty(), UnitList.of(config));
  }

  /**
   * Describes a model that need not have weights and that the engine need not be able to run: what
   * a planner has to know.
   *
   * @param path a config.json, or the folder that holds it
   * @throws ModelException if it is damaged, or not even its sizes are known
   */
  public static ModelShape describe(Path path) throws IOException {
    return ModelShape.of(ConfigReader.describe(configFile(path)));
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** What the model is; its stored number format is that of the files, where there are any. */
  public ModelConfig config() {
    return config;
  }

  /** All units in the order in which a pass needs them: embedding, layer by layer, head. */
  public List<WeightUnit> units() {
    return List.copyOf(units.values());
  }

  /**
   * One unit.
   *
   * @throws IllegalArgumentException if the model has no such unit
   */
  public WeightUnit unit(UnitId id) {
    WeightUnit unit = units.get(id);
    if (unit == null) {
      throw new IllegalArgumentException("the model has no unit " + id);
    }
    return unit;
  }

  /** The weight files; empty for a model known by its configuration alone. */
  public Optional<Checkpoint> checkpoint() {
    return checkpoint;
  }

  /**
   * The weights of the files.
   *
   * @throws IllegalStateException if there are none; see {@code RandomSource}
   */
  public WeightSource weights() {
    return new CheckpointSource(
        checkpoint.orElseThrow(
            () -> new IllegalStateException(path + " was opened without its weights")));
  }

  @Override
  public void close() {
    checkpoint.ifPresent(Checkpoint::close);
  }

  private static Path configFile(Path path) {
    return Files.isDirectory(path) ? path.resolve(CONFIG) : path;
  }

  private static ModelConfig stored(ModelConfig config, List<WeightUnit> units) {
    return units.stream()
        .filter(unit -> unit.id().kind() == UnitId.Kind.ATTENTION)
        .flatMap(unit -> unit.find(Role.QKV).stream())
        .findFirst()
        .map(qkv -> config.withStoredDType(qkv.dtype()))
        .orElse(config);
  }
}
