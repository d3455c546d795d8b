package dev.offload.engine.weights;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.NormSpec;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.model.ModelConfig.Norm;
import dev.offload.tensors.weights.Role;
import java.util.Optional;

/**
 * The parameters of a unit where it lies on the device.
 *
 * @param layout how it is laid out
 * @param buffer where
 * @param base its first byte
 */
public record UnitView(UnitLayout layout, DeviceBuffer buffer, long base) {

  /** A matrix that the unit must have. */
  public Weight weight(Role role) {
    return weight(role, 0);
  }

  /** One of the matrices of a parameter that consists of several. */
  public Weight weight(Role role, int block) {
    return layout.weight(role, block, buffer, base);
  }

  /** A vector, if the unit has it. */
  public Optional<Vector> vector(Role role) {
    return layout.vector(role, buffer, base);
  }

  /** A norm, if the unit has its weight. */
  public Optional<NormSpec> norm(Norm norm, Role weight, Role bias) {
    return vector(weight)
        .map(factors -> new NormSpec(factors, vector(bias), norm.epsilon(), norm.unitOffset()));
  }

  /** An RMSNorm without bias, if the unit has its weight. */
  public Optional<NormSpec> norm(Norm norm, Role weight) {
    return vector(weight)
        .map(factors -> new NormSpec(factors, Optional.empty(), norm.epsilon(), norm.unitOffset()));
  }
}
