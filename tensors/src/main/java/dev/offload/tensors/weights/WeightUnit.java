package dev.offload.tensors.weights;

import java.util.List;
import java.util.Optional;

/**
 * What is placed on a tier and moved as one.
 *
 * @param id its name
 * @param parameters what it holds, each role at most once
 */
public record WeightUnit(UnitId id, List<Parameter> parameters) {

  public WeightUnit {
    parameters = List.copyOf(parameters);
  }

  public Optional<Parameter> find(Role role) {
    return parameters.stream().filter(parameter -> parameter.role() == role).findFirst();
  }

  /** How many numbers all parameters have. */
  public long elements() {
    return parameters.stream().mapToLong(Parameter::elements).sum();
  }

  /** Bytes of all parameters as stored, without alignment. */
  public long bytes() {
    return parameters.stream().mapToLong(Parameter::bytes).sum();
  }
}
