package dev.offload.planner.search;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.planner.cost.AttentionShape;
import dev.offload.planner.cost.ExpertShares;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A made-up model of some kilobytes, whose units are of all sizes. */
final class FakeModel implements ModelSizes {
  private final List<UnitSize> units = new ArrayList<>();
  private final int layers;
  private final int experts;

  FakeModel(Random random) {
    this(random, 1 + random.nextInt(20));
  }

  FakeModel(Random random, int outputSlices) {
    this(random, 1 + random.nextInt(6), random.nextInt(8), outputSlices);
  }

  FakeModel(Random random, int layers, int experts, int outputSlices) {
    this.layers = layers;
    this.experts = experts;
    long padding = 0;
    units.add(new UnitSize(UnitId.embedding(), 0, 0, false));
    for (int layer = 0; layer < layers; layer++) {
      add(UnitId.of(UnitId.Kind.ATTENTION, layer), 100 + random.nextInt(100), random);
      if (experts == 0) {
        add(UnitId.of(UnitId.Kind.MLP, layer), 300, random);
        continue;
      }
      add(UnitId.of(UnitId.Kind.ROUTER, layer), 10, random);
      for (int expert = 0; expert < experts; expert++) {
        // One is drawn for each, as for other units, but experts are all alike.
        int drawn = random.nextInt(3);
        padding = layer == 0 && expert == 0 ? drawn : padding;
        units.add(new UnitSize(UnitId.expert(layer, expert), 3200, 64 * (50 + padding), true));
      }
    }
    add(UnitId.head(), random.nextInt(2), random);
    for (int slice = 0; slice < outputSlices; slice++) {
      add(UnitId.output(64 * slice), 100, random);
    }
  }

  private void add(UnitId id, int size, Random random) {
    long padding = size == 0 ? 0 : random.nextInt(3);
    units.add(new UnitSize(id, 64L * size, 64L * (size + padding), true));
  }

  /** As the planner sees it. */
  PlannedModel planned() {
    Map<List<Object>, List<UnitSize>> alike = new java.util.LinkedHashMap<>();
    for (UnitSize unit : units) {
      if (unit.imageBytes() > 0) {
        alike
            .computeIfAbsent(List.of(unit.id().kind(), unit.imageBytes()), _ -> new ArrayList<>())
            .add(unit);
      }
    }
    List<UnitClass> classes = new ArrayList<>();
    for (List<UnitSize> members : alike.values()) {
      UnitSize first = members.getFirst();
      boolean expert = first.id().kind() == UnitId.Kind.EXPERT;
      classes.add(
          new UnitClass(
              first.id().kind(),
              first,
              List.of(new MatrixShape(32, (int) (first.rowMajorBytes() / 64))),
              expert ? 1 : 0,
              expert ? experts : 0,
              expert ? ExpertShares.equal(1, experts) : ExpertShares.NONE,
              members.stream().map(UnitSize::id).toList()));
    }
    return new PlannedModel(
        this,
        classes,
        Map.of(new AttentionShape(40.0 / layers, 64, 0), layers),
        layers,
        experts > 0 ? layers : 0,
        32,
        32,
        100,
        192.0 * layers,
        64.0 * layers);
  }

  int layers() {
    return layers;
  }

  long weights() {
    return units.stream().mapToLong(UnitSize::imageBytes).sum();
  }

  @Override
  public DType computeDType() {
    return DType.BF16;
  }

  @Override
  public List<UnitSize> units() {
    return units;
  }

  @Override
  public long tableBytes() {
    return 5000;
  }

  @Override
  public long kvBlockBytes() {
    return 640;
  }

  @Override
  public int kvBlockTokens() {
    return 16;
  }

  @Override
  public int contextLength() {
    return 256;
  }

  @Override
  public long deviceBytes(Plan plan) {
    return 100L * plan.passTokens() + 10L * plan.maxSequences();
  }

  @Override
  public long loadingBytes() {
    return 2 * units.stream().mapToLong(UnitSize::imageBytes).max().orElse(0);
  }

  @Override
  public long hostBytes(Plan plan) {
    return (plan.hostExperts().isEmpty() ? 50L : 90L) * plan.passTokens();
  }
}
