package dev.offload.planner;

import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.List;

/**
 * Weight units that are moved and used together: one unit, or neighbouring experts of one layer or
 * slices of the output matrix that live on the same tier; or all experts of a layer that the host
 * computes.
 *
 * @param index position among all granules of a plan, in the order of use
 * @param units what it holds, at least one
 * @param home where it lives
 * @param storedBytes bytes as they cross to the device, 0 if they never do
 * @param imageBytes bytes as the device computes with them, or the host if it does
 * @param isExpanded whether it crosses in another form than the one the device computes with
 * @param isComputedOnHost whether it never crosses because the host computes with it
 */
public record Granule(
    int index,
    List<UnitId> units,
    Tier home,
    long storedBytes,
    long imageBytes,
    boolean isExpanded,
    boolean isComputedOnHost) {
  public Granule {
    units = List.copyOf(units);
    if (units.isEmpty()) {
      throw new IllegalArgumentException("granule " + index + " holds no unit");
    }
  }

  /** Layer of its units, -1 for what comes before and behind the layers. */
  public int layer() {
    return units.getFirst().layer();
  }

  public UnitId.Kind kind() {
    return units.getFirst().kind();
  }

  /** Whether it has to cross to the device in every pass. */
  public boolean isStreamed() {
    return home != Tier.DEVICE && !isComputedOnHost;
  }
}
