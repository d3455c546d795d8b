package dev.offload.engine;

import dev.offload.backends.api.Operations;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the output matrix, often by far the largest unit of a model, into slices of about equal
 * size, so that it needs no more room on its way through the device than any other unit. How many
 * rows a slice has follows from the model alone, never from budgets: the products stay the same
 * wherever the slices live.
 */
final class OutputSlices {
  private OutputSlices() {}

  /** As few slices as possible, none larger than the largest other unit that is moved. */
  static List<WeightUnit> cut(List<WeightUnit> units) {
    long largest =
        units.stream()
            .filter(unit -> isMoved(unit.id().kind()))
            .mapToLong(WeightUnit::bytes)
            .max()
            .orElse(0);
    Parameter output = find(units);
    if (output.bytes() <= largest) {
      return units;
    }
    long panelBytes = output.bytes() / output.rows() * Operations.PANEL_OUTPUTS;
    int most = (int) Math.max(1, largest / panelBytes) * Operations.PANEL_OUTPUTS;
    int count = Math.ceilDiv(output.rows(), most);
    return cut(units, Math.ceilDiv(output.rows(), count));
  }

  /** Slices of the given number of rows, rounded to whole panels; the last one may be smaller. */
  static List<WeightUnit> cut(List<WeightUnit> units, int rows) {
    Parameter output = find(units);
    List<WeightUnit> cut = new ArrayList<>(units);
    cut.removeIf(unit -> unit.id().kind() == UnitId.Kind.OUTPUT);
    int step = Math.ceilDiv(rows, Operations.PANEL_OUTPUTS) * Operations.PANEL_OUTPUTS;
    for (int first = 0; first < output.rows(); first += step) {
      Parameter slice = output.range(first, Math.min(step, output.rows() - first));
      cut.add(new WeightUnit(UnitId.output(first), List.of(slice)));
    }
    return cut;
  }

  private static boolean isMoved(UnitId.Kind kind) {
    return switch (kind) {
      case ATTENTION, MLP, ROUTER, SHARED_EXPERT, EXPERT -> true;
      case EMBEDDING, HEAD, OUTPUT -> false;
    };
  }

  /** The whole output matrix. */
  private static Parameter find(List<WeightUnit> units) {
    return units.stream()
        .filter(unit -> unit.id().equals(UnitId.output(0)))
        .flatMap(unit -> unit.find(Role.OUTPUT).stream())
        .findFirst()
        .orElseThrow();
  }
}
