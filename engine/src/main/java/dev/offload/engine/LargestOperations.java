package dev.offload.engine;

import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.OperationSizes;
import dev.offload.planner.Plan;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The largest operations that passes of a model ask for, by plan. */
final class LargestOperations {
  private final DType computeDType;
  private final KvBlocks.Format kvFormat;
  private final Set<Matrix> matrices = new LinkedHashSet<>();
  private final int heads;

  /**
   * Matrices of a kind.
   *
   * @param experts in a layer, and how many a token chooses; 1 and 1 where there are none
   */
  private record Matrix(UnitId.Kind kind, int inputs, int experts, int expertsPerToken) {}

  LargestOperations(
      ModelConfig config, List<WeightUnit> units, DType computeDType, KvBlocks.Format kvFormat) {
    this.computeDType = computeDType;
    this.kvFormat = kvFormat;
    heads = config.layers().stream().mapToInt(l -> l.attention().heads()).max().orElseThrow();
    for (WeightUnit unit : units) {
      for (Parameter parameter : unit.parameters()) {
        if (parameter.isMatrix()) {
          matrices.add(matrix(config, unit.id(), parameter.columns()));
        }
      }
    }
  }

  private static Matrix matrix(ModelConfig config, UnitId unit, int inputs) {
    boolean expert = unit.kind() == UnitId.Kind.EXPERT;
    return expert
            && config.layers().get(unit.layer()).feedForward() instanceof MixtureOfExperts mixture
        ? new Matrix(unit.kind(), inputs, mixture.experts(), mixture.expertsPerToken())
        : new Matrix(unit.kind(), inputs, 1, 1);
  }

  OperationSizes largest(Plan plan) {
    List<OperationSizes.Product> products =
        matrices.stream()
            .map(
                each ->
                    new OperationSizes.Product(
                        rows(each.kind, plan) * each.expertsPerToken, each.experts, each.inputs))
            .toList();
    return new OperationSizes(
        computeDType,
        products,
        new OperationSizes.Attention(plan.microBatchTokens(), heads, kvFormat));
  }

  private static int rows(UnitId.Kind kind, Plan plan) {
    return switch (kind) {
      case EMBEDDING, ATTENTION, MLP -> plan.microBatchTokens();
      case ROUTER, SHARED_EXPERT, EXPERT -> plan.passTokens();
      case HEAD, OUTPUT -> plan.maxSequences();
    };
  }
}
