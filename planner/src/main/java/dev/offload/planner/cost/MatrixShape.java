package dev.offload.planner.cost;

import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.WeightUnit;
import java.util.List;
import java.util.function.Predicate;

/**
 * A weight matrix that rows are multiplied with.
 *
 * @param outputs its rows
 * @param inputs its columns
 */
public record MatrixShape(int outputs, int inputs) {

  /** All that a unit's rows are multiplied with; not the tables, in which rows are looked up. */
  public static List<MatrixShape> of(WeightUnit unit) {
    return of(unit, _ -> true);
  }

  /** Those of a unit with certain roles. */
  public static List<MatrixShape> of(WeightUnit unit, Predicate<Role> roles) {
    return unit.parameters().stream()
        .filter(parameter -> isMultiplied(parameter) && roles.test(parameter.role()))
        .map(parameter -> new MatrixShape(parameter.rows(), parameter.columns()))
        .toList();
  }

  private static boolean isMultiplied(Parameter parameter) {
    return parameter.isMatrix()
        && parameter.role() != Role.TOKEN_TABLE
        && parameter.role() != Role.POSITION_TABLE;
  }

  /** How many numbers it has. */
  public double elements() {
    return (double) outputs * inputs;
  }
}
