package dev.offload.planner.search;

import dev.offload.planner.KvGroup.Home;
import dev.offload.planner.Workload;
import dev.offload.planner.search.Candidate.Lack;
import dev.offload.tensors.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Says why nothing fits, by how many bytes, and what would fit instead: fewer sequences, or shorter
 * ones.
 */
final class Refusal {
  private final Format format;

  private Refusal(Format format) {
    this.format = format;
  }

  /** The refusal that names the smallest lack. */
  static IllegalArgumentException of(Format format) {
    Refusal refusal = new Refusal(format);
    List<String> parts = new ArrayList<>();
    parts.add(text(format.wishes(), least(format)));
    refusal
        .fewerSequences()
        .ifPresent(
            most ->
                parts.add(
                    "it would do for %d at a time, each in a micro-batch of its own, instead of %d"
                        .formatted(most, format.wishes().microBatches().orElseThrow())));
    refusal
        .shorterRows()
        .ifPresent(
            most ->
                parts.add(
                    "it would do for rows of up to %d tokens, the longest has %d"
                        .formatted(most, refusal.longest())));
    return new IllegalArgumentException(String.join("; ", parts));
  }

  /** What the design that needs least lacks. */
  private static Lack least(Format format) {
    Lack least = null;
    for (Design design : new PlanSearch(format).leastDesigns()) {
      List<Home> homes = format.wishes().kvHome().map(List::of).orElse(List.of(Home.values()));
      for (Home home : homes) {
        long blocks = format.groupBlocks(design);
        Rooms rooms = format.memory().rooms(design, KvSplit.all(home, design.groups()), blocks);
        Lack lack = Candidate.lack(format.model(), design, rooms);
        if (least == null || lack.total() < least.total()) {
          least = lack;
        }
      }
    }
    return least;
  }

  /** The most sequences at a time for which there is room. */
  private OptionalInt fewerSequences() {
    for (int most = format.wishes().microBatches().orElse(1) - 1; most >= 1; most--) {
      if (fits(with(format.wishes().withMicroBatches(most), format.workload()))) {
        return OptionalInt.of(most);
      }
    }
    return OptionalInt.empty();
  }

  /** Tokens of the longest rows for which there is room, in whole cache blocks. */
  private OptionalInt shorterRows() {
    int block = format.model().sizes().kvBlockTokens();
    int fits = 0;
    int most = (int) format.memory().blocks(longest()) - 1;
    while (fits < most) {
      int middle = fits + (most - fits + 1) / 2;
      if (least(cut(middle * block)).isEmpty()) {
        fits = middle;
      } else {
        most = middle - 1;
      }
    }
    return fits > 0 && fits(cut(fits * block)) ? OptionalInt.of(fits * block) : OptionalInt.empty();
  }

  private int longest() {
    return Math.max(format.wishes().rowTokens(), format.workload().longest());
  }

  private Format cut(int tokens) {
    Wishes wishes = format.wishes();
    return with(
        wishes.withRowTokens(Math.min(wishes.rowTokens(), tokens)), format.workload().cut(tokens));
  }

  private Format with(Wishes wishes, Workload workload) {
    return Format.of(format.model(), format.machine(), workload, wishes);
  }

  /** Whether there is a plan, all units whole. */
  private static boolean fits(Format other) {
    return least(other).isEmpty() && new PlanSearch(other).best().isPresent();
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
