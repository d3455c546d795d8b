package dev.offload.planner.search;

import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.search.Candidate.Lack;
import dev.offload.tensors.ByteSize;
import java.util.List;

/** Says why nothing fits, by how many bytes, and what would help. */
final class Refusal {
  private Refusal() {}

  /**
   * The refusal that names the smallest lack.
   *
   * @param designs that need least
   */
  static IllegalArgumentException of(Format format, List<Design> designs) {
    Lack least = null;
    for (Design design : designs) {
      List<Home> homes = format.wishes().kvHome().map(List::of).orElse(List.of(Home.values()));
      for (Home home : homes) {
        long blocks = format.groupBlocks(design.sequences(), design.groups());
        Rooms rooms = format.memory().rooms(design, KvSplit.all(home, design.groups()), blocks);
        Lack lack = Candidate.lack(format.model(), design, rooms);
        if (least == null || lack.total() < least.total()) {
          least = lack;
        }
      }
    }
    return new IllegalArgumentException(text(format.wishes(), least));
  }

  private static String text(Wishes wishes, Lack lack) {
    if (lack.device() > 0) {
      return lacks("device memory", wishes.deviceBytes(), lack.device())
          + ": for a ring through which weights pass and what the engine needs besides";
    }
    if (lack.host() > 0) {
      return lacks("host memory", wishes.hostBytes(), lack.host())
          + ": for what passes between host and device and what the engine needs besides";
    }
    return lacks("the disk with room", wishes.diskBytes(), lack.disk())
        + ": for the weights that neither device nor host has room for";
  }

  private static String lacks(String memory, long budget, long bytes) {
    return "%s of %s is too small, %s more is needed at least"
        .formatted(memory, ByteSize.format(budget), ByteSize.formatUp(bytes));
  }
}
