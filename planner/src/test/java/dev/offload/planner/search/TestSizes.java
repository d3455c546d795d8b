package dev.offload.planner.search;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Sizes of one of the described models, row-major, with about the workspace of the engine. */
record TestSizes(ModelConfig config, List<WeightUnit> weightUnits, DType computeDType)
    implements ModelSizes {
  private static final Path SHAPES = Path.of("../examples/shapes");

  static TestSizes of(String name, DType dtype) throws IOException {
    ModelShape shape = ModelFolder.describe(SHAPES.resolve(name));
    return new TestSizes(shape.config(), shape.units(), dtype);
  }

  PlannedModel model() {
    return PlannedModel.of(config, weightUnits, this, Optional.empty());
  }

  @Override
  public List<UnitSize> units() {
    return weightUnits.stream()
        .map(
            unit -> {
              long bytes =
                  unit.parameters().stream()
                      .filter(each -> isMoved(each))
                      .mapToLong(each -> each.elements() * computeDType.bytes())
                      .sum();
              return new UnitSize(unit.id(), bytes, bytes, false);
            })
        .toList();
  }

  private static boolean isMoved(Parameter each) {
    return each.role() != Role.TOKEN_TABLE && each.role() != Role.POSITION_TABLE;
  }

  @Override
  public long tableBytes() {
    return weightUnits.stream()
        .filter(unit -> unit.id().kind() == UnitId.Kind.EMBEDDING)
        .mapToLong(WeightUnit::bytes)
        .sum();
  }

  @Override
  public long kvBlockBytes() {
    return (long) kvBlockTokens()
        * config.layers().getFirst().attention().cachedNumbers()
        * computeDType.bytes()
        * config.layers().size();
  }

  @Override
  public int kvBlockTokens() {
    return 16;
  }

  @Override
  public int contextLength() {
    return config.contextLength();
  }

  @Override
  public long deviceBytes(Plan plan) {
    long width = 0;
    for (ModelConfig.Layer layer : config.layers()) {
      width =
          Math.max(
              width,
              switch (layer.feedForward()) {
                case Mlp mlp -> 10L * mlp.width();
                case MixtureOfExperts mixture ->
                    mixture.expertsPerToken()
                        * (10L * mixture.expert().width() + 6L * config.hiddenSize());
              });
    }
    return plan.passTokens() * (width + 10L * config.hiddenSize())
        + 4L * plan.maxSequences() * config.vocabularySize()
        + (1 << 20);
  }

  @Override
  public long loadingBytes() {
    return 16 << 20;
  }

  @Override
  public long hostBytes(Plan plan) {
    return plan.passTokens() * 8L * config.hiddenSize()
        + 4L * plan.maxSequences() * config.vocabularySize()
        + (16 << 20);
  }
}
