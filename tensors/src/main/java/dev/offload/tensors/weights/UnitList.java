package dev.offload.tensors.weights;

import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import java.util.ArrayList;
import java.util.List;

/** Lists the units of a model in the order a pass needs them. */
final class UnitList {
  private final StoredFormats stored;
  private final TensorLayout layout;
  private final List<WeightUnit> units = new ArrayList<>();

  private UnitList(StoredFormats stored, TensorLayout layout) {
    this.stored = stored;
    this.layout = layout;
  }

  /** The units of a checkpoint; every tensor they need is there in the right shape. */
  static List<WeightUnit> of(ModelConfig config, Checkpoint checkpoint) {
    return of(config, new CheckpointFormats(checkpoint));
  }

  /** The units a configuration promises. */
  static List<WeightUnit> of(ModelConfig config) {
    return of(config, new ConfigFormats(config.storedDType()));
  }

  private static List<WeightUnit> of(ModelConfig config, StoredFormats stored) {
    UnitList list = new UnitList(stored, Layouts.of(config, stored));
    list.add(config);
    return List.copyOf(list.units);
  }

  private void add(ModelConfig config) {
    UnitBuilder embedding = builder();
    layout.embedding(embedding);
    units.add(embedding.build(UnitId.embedding()));
    for (int layer = 0; layer < config.layers().size(); layer++) {
      addLayer(config, layer);
    }
    UnitBuilder head = builder();
    layout.head(head);
    units.add(head.build(UnitId.head()));
    UnitBuilder output = builder();
    layout.output(output);
    units.add(output.build(UnitId.output(0)));
  }

  private void addLayer(ModelConfig config, int layer) {
    UnitBuilder attention = builder();
    layout.attention(attention, layer);
    units.add(attention.build(UnitId.of(UnitId.Kind.ATTENTION, layer)));
    switch (config.layers().get(layer).feedForward()) {
      case Mlp mlp -> {
        UnitBuilder dense = builder();
        layout.mlp(dense, layer);
        units.add(dense.build(UnitId.of(UnitId.Kind.MLP, layer)));
      }
      case MixtureOfExperts mixture -> addMixture(mixture, layer);
    }
  }

  private void addMixture(MixtureOfExperts mixture, int layer) {
    UnitBuilder router = builder();
    layout.router(router, layer);
    units.add(router.build(UnitId.of(UnitId.Kind.ROUTER, layer)));
    if (mixture.sharedWidth() > 0) {
      UnitBuilder shared = builder();
      layout.sharedExpert(shared, layer);
      units.add(shared.build(UnitId.of(UnitId.Kind.SHARED_EXPERT, layer)));
    }
    for (int number = 0; number < mixture.experts(); number++) {
      UnitBuilder expert = builder();
      layout.expert(expert, layer, number);
      units.add(expert.build(UnitId.expert(layer, number)));
    }
  }

  private UnitBuilder builder() {
    return new UnitBuilder(stored);
  }
}
