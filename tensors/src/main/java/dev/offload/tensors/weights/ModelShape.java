package dev.offload.tensors.weights;

import dev.offload.tensors.model.ConfigReader;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.Packing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a model is made of, from its config.json alone, whether or not the engine can run it: enough
 * to plan with. Immutable.
 *
 * @param config the model
 * @param units all units in the order in which a pass needs them
 * @param packing how the published checkpoint packs its matrices; empty if it does not
 * @param refusal why it cannot be run, naming file, field and value; empty if it can
 */
public record ModelShape(
    ModelConfig config,
    List<WeightUnit> units,
    Optional<Packing> packing,
    Optional<String> refusal) {

  public ModelShape {
    units = List.copyOf(units);
  }

  static ModelShape of(ConfigReader.Description description) {
    return new ModelShape(
        description.config(),
        UnitList.of(description.config()),
        description.packing(),
        description.refusal());
  }

  /** How large it is. */
  public ModelSize size() {
    return ModelSize.of(this);
  }

  /** Bytes of a unit in the published checkpoint, scales included. */
  public long storedBytes(WeightUnit unit) {
    return unit.parameters().stream().mapToLong(each -> storedBytes(unit.id(), each)).sum();
  }

  private long storedBytes(UnitId unit, Parameter parameter) {
    if (packing.isEmpty() || !mayBePacked(unit, parameter.role())) {
      return parameter.bytes();
    }
    long bytes = 0;
    for (Map.Entry<String, Integer> tensor : rowsByTensor(parameter).entrySet()) {
      int rows = tensor.getValue();
      bytes +=
          packing.get().keeps(tensor.getKey())
              ? (long) rows * parameter.columns() * parameter.dtype().bytes()
              : packing.get().format().bytes(rows, parameter.columns(), parameter.dtype());
    }
    return bytes;
  }

  /** Linear layers are packed, but for routers, which no format packs, and those of the head. */
  private boolean mayBePacked(UnitId unit, Role role) {
    boolean linear =
        switch (role) {
          case QKV, QUERY_UP, KEY_UP, VALUE_UP, ATTENTION_OUTPUT, UP, DOWN -> true;
          default -> false;
        };
    return linear
        && (unit.kind() == UnitId.Kind.EXPERT || !packing.orElseThrow().format().expertsOnly());
  }

  private static Map<String, Integer> rowsByTensor(Parameter parameter) {
    Map<String, Integer> rows = new LinkedHashMap<>();
    parameter.parts().forEach(part -> rows.merge(part.tensor(), part.rows(), Integer::sum));
    return rows;
  }
}
