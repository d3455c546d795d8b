package dev.offload.planner.search;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.UnitSize;
import dev.offload.planner.cost.AttentionShape;
import dev.offload.planner.cost.ExpertShares;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the planner has to know about a model in one compute format.
 *
 * @param sizes exact sizes
 * @param classes all units of which something has to be on the device
 * @param attention how many layers attend in which way
 * @param layers of the model
 * @param mixtureLayers those with experts
 * @param hidden width of the residual stream
 * @param embeddingWidth numbers of a looked-up row
 * @param vocabulary logits of a row
 * @param queryBytes of a row that go to the host for attention there, all layers together
 * @param attendedBytes of a row that come back, all layers together
 */
record PlannedModel(
    ModelSizes sizes,
    List<UnitClass> classes,
    Map<AttentionShape, Integer> attention,
    int layers,
    int mixtureLayers,
    int hidden,
    int embeddingWidth,
    int vocabulary,
    double queryBytes,
    double attendedBytes) {
  PlannedModel {
    classes = List.copyOf(classes);
  }

  /** What makes units alike. */
  private record Likeness(
      UnitId.Kind kind,
      long rowMajorBytes,
      long imageBytes,
      boolean packed,
      List<MatrixShape> matrices,
      int perToken,
      int experts) {}

  /**
   * What of a model matters.
   *
   * @param routing how often its experts are chosen; absent: all as often
   */
  static PlannedModel of(
      ModelConfig config,
      List<WeightUnit> units,
      ModelSizes sizes,
      Optional<RoutingStatistics> routing) {
    Map<AttentionShape, Integer> attention = new LinkedHashMap<>();
    double queryBytes = 0;
    double attendedBytes = 0;
    int mixtureLayers = 0;
    double kvBytes = (double) sizes.kvBlockBytes() / sizes.kvBlockTokens() / config.layers().size();
    for (Layer layer : config.layers()) {
      Attention each = layer.attention();
      attention.merge(AttentionShape.of(each, kvBytes), 1, Integer::sum);
      queryBytes += 4.0 * each.qkvWidth();
      attendedBytes += (double) sizes.computeDType().bytes() * each.outputWidth();
      mixtureLayers += layer.feedForward() instanceof MixtureOfExperts ? 1 : 0;
    }
    return new PlannedModel(
        sizes,
        classes(config, units, sizes.units(), routing),
        attention,
        config.layers().size(),
        mixtureLayers,
        config.hiddenSize(),
        config.embedding().width(),
        config.vocabularySize(),
        queryBytes,
        attendedBytes);
  }

  private static List<UnitClass> classes(
      ModelConfig config,
      List<WeightUnit> units,
      List<UnitSize> sizes,
      Optional<RoutingStatistics> routing) {
    Map<UnitId, WeightUnit> byId = new HashMap<>();
    units.forEach(unit -> byId.put(unit.id(), unit));
    Map<Likeness, List<UnitSize>> alike = new LinkedHashMap<>();
    for (UnitSize size : sizes) {
      if (size.imageBytes() > 0) {
        Likeness likeness = likeness(config, byId.get(size.id()), size);
        alike.computeIfAbsent(likeness, _ -> new ArrayList<>()).add(size);
      }
    }
    List<UnitClass> classes = new ArrayList<>();
    alike.forEach(
        (likeness, members) -> {
          List<UnitId> ids = members.stream().map(UnitSize::id).toList();
          classes.add(
              new UnitClass(
                  likeness.kind(),
                  members.getFirst(),
                  likeness.matrices(),
                  likeness.perToken(),
                  likeness.experts(),
                  shares(likeness, ids, routing),
                  ids));
        });
    return classes;
  }

  private static ExpertShares shares(
      Likeness likeness, List<UnitId> units, Optional<RoutingStatistics> routing) {
    return likeness.experts() == 0
        ? ExpertShares.NONE
        : routing
            .map(counted -> counted.shares(units))
            .orElseGet(() -> ExpertShares.equal(likeness.perToken(), likeness.experts()));
  }

  private static Likeness likeness(ModelConfig config, WeightUnit unit, UnitSize size) {
    int perToken = 0;
    int experts = 0;
    if (size.id().kind() == UnitId.Kind.EXPERT) {
      var mixture = (MixtureOfExperts) config.layers().get(size.id().layer()).feedForward();
      perToken = mixture.expertsPerToken();
      experts = mixture.experts();
    }
    return new Likeness(
        size.id().kind(),
        size.rowMajorBytes(),
        size.imageBytes(),
        size.packed(),
        MatrixShape.of(unit),
        perToken,
        experts);
  }

  /** Experts of each layer that has some; 0 if there are none, or not in each as many. */
  int expertsPerLayer() {
    List<UnitClass> experts = classes.stream().filter(each -> each.experts() > 0).toList();
    int most = experts.stream().mapToInt(UnitClass::experts).max().orElse(0);
    boolean alike =
        experts.stream().allMatch(each -> each.experts() == most && each.count() % most == 0);
    return alike ? most : 0;
  }

  /** Bytes of all experts on the device. */
  long expertBytes() {
    return classes.stream()
        .filter(each -> each.experts() > 0)
        .mapToLong(UnitClass::totalBytes)
        .sum();
  }

  /** Bytes of all experts where the host computes them. */
  long hostExpertBytes() {
    return classes.stream()
        .filter(each -> each.experts() > 0)
        .mapToLong(UnitClass::totalHostBytes)
        .sum();
  }

  /** Bytes of all weights that may live on the device. */
  long weightBytes() {
    return classes.stream().mapToLong(UnitClass::totalBytes).sum();
  }
}
