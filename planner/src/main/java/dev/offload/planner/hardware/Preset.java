package dev.offload.planner.hardware;

import java.util.List;

/**
 * A well-known machine.
 *
 * @param profile what it can do
 * @param sources where each figure comes from that is not among the profile's assumptions
 */
public record Preset(HardwareProfile profile, List<Source> sources) {
  public Preset {
    sources = List.copyOf(sources);
  }

  /**
   * Where a figure comes from.
   *
   * @param field which, as in the JSON form
   * @param value the figure, with its unit
   * @param source who stated or measured it
   * @param note on what, or how; may be empty
   */
  public record Source(String field, String value, String source, String note) {}
}
