package dev.offload.jobs.plan;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.UnitSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sizes of a model whose weights stay packed as its checkpoint has them, wherever they are, and are
 * expanded while they are multiplied.
 *
 * @param unpacked sizes with all weights in the compute format
 * @param units with their packed sizes
 */
record PackedSizes(ModelSizes unpacked, List<UnitSize> units) implements ModelSizes {

  static PackedSizes of(ModelShape shape, ModelSizes unpacked) {
    Map<UnitId, Long> stored = new HashMap<>();
    for (WeightUnit unit : shape.units()) {
      stored.put(unit.id(), shape.storedBytes(unit));
    }
    // Output matrices are cut in slices, which no checkpoint packs.
    List<UnitSize> units =
        unpacked.units().stream()
            .map(
                unit -> {
                  long bytes =
                      Math.min(stored.getOrDefault(unit.id(), Long.MAX_VALUE), unit.imageBytes());
                  return new UnitSize(unit.id(), bytes, bytes, false);
                })
            .toList();
    return new PackedSizes(unpacked, units);
  }

  @Override
  public DType computeDType() {
    return unpacked.computeDType();
  }

  @Override
  public long tableBytes() {
    return unpacked.tableBytes();
  }

  @Override
  public long kvBlockBytes() {
    return unpacked.kvBlockBytes();
  }

  @Override
  public int kvBlockTokens() {
    return unpacked.kvBlockTokens();
  }

  @Override
  public int contextLength() {
    return unpacked.contextLength();
  }

  @Override
  public long deviceBytes(Plan plan) {
    return unpacked.deviceBytes(plan);
  }

  @Override
  public long loadingBytes() {
    return unpacked.loadingBytes();
  }

  @Override
  public long hostBytes(Plan plan) {
    return unpacked.hostBytes(plan);
  }
}
