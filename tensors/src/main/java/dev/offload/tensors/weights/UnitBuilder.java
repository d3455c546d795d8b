package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import java.util.ArrayList;
import java.util.List;

/** Collects the parameters of one unit; finds out and checks their stored formats. Used once. */
final class UnitBuilder {
  private final StoredFormats stored;
  private final List<Parameter> parameters = new ArrayList<>();

  UnitBuilder(StoredFormats stored) {
    this.stored = stored;
  }

  /** Adds a matrix with the rows of all parts. */
  UnitBuilder matrix(Role role, Part... parts) {
    return add(role, rows(parts), parts[0].columns(), List.of(parts), 1);
  }

  /** Adds a matrix of which each part is multiplied on its own. */
  UnitBuilder matrices(Role role, List<Part> parts) {
    return add(
        role, rows(parts.toArray(Part[]::new)), parts.getFirst().columns(), parts, parts.size());
  }

  /** Adds a matrix with the rows of all parts. */
  UnitBuilder matrix(Role role, List<Part> parts) {
    return matrix(role, parts.toArray(Part[]::new));
  }

  /** Adds a vector that is a whole tensor. */
  UnitBuilder vector(Role role, String tensor, int length) {
    return vector(role, List.of(Part.vector(tensor, length)));
  }

  /** Adds a vector of all parts one after the other. */
  UnitBuilder vector(Role role, List<Part> parts) {
    return add(role, 1, rows(parts.toArray(Part[]::new)), parts, 1);
  }

  WeightUnit build(UnitId id) {
    return new WeightUnit(id, parameters);
  }

  private UnitBuilder add(Role role, int rows, int columns, List<Part> parts, int blocks) {
    DType dtype = stored.check(role, parts.getFirst());
    for (Part part : parts) {
      DType other = stored.check(role, part);
      if (other != dtype) {
        throw new ModelException(
            "tensor %s is stored as %s, but %s as %s; convert them to one format"
                .formatted(parts.getFirst().tensor(), dtype, part.tensor(), other));
      }
    }
    parameters.add(new Parameter(role, dtype, rows, columns, parts, blocks));
    return this;
  }

  private static int rows(Part[] parts) {
    int rows = 0;
    for (Part part : parts) {
      rows = Math.addExact(rows, part.rows());
    }
    return rows;
  }
}
