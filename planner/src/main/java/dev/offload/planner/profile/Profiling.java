package dev.offload.planner.profile;

import dev.offload.planner.hardware.HardwareProfile;
import java.util.List;

/**
 * A measured machine.
 *
 * @param profile what it can do
 * @param figures what was measured beside the products, which are in the profile
 * @param together how lanes slow each other
 * @param seconds that measuring took
 */
public record Profiling(
    HardwareProfile profile, List<Figure> figures, List<Together> together, double seconds) {
  public Profiling {
    figures = List.copyOf(figures);
    together = List.copyOf(together);
  }
}
