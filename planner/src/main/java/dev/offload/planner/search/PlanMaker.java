package dev.offload.planner.search;

import dev.offload.planner.ModelSizes;
import dev.offload.planner.Plan;
import dev.offload.planner.search.Candidate.Whole;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;

/**
 * Makes the plan of what was found. What room is left the cache takes, as far as sequences longer
 * than expected have use for it, and then cache blocks of preempted sequences.
 */
final class PlanMaker {
  /**
   * What sequences lose when they are preempted is little beside the cache, so room for a part of
   * it is enough; and of what is left of the host only so much, for others have use for it too.
   */
  private static final double SWAP_SHARE = 1.0 / 8;

  private static final double SWAP_SHARE_OF_REST = 0.5;

  private final Whole found;
  private final Format format;
  private final Design design;
  private final ModelSizes sizes;
  private final long groupBlocks;
  private final Rooms rooms;

  private PlanMaker(Whole found) {
    this.found = found;
    this.format = found.candidate().format();
    this.design = found.candidate().design();
    this.sizes = format.model().sizes();
    this.groupBlocks = widest();
    this.rooms = rooms(groupBlocks);
  }

  static Plan plan(Whole found) {
    return new PlanMaker(found).plan();
  }

  private Plan plan() {
    Spread spread = Spread.of(format.model().classes(), found.rounded().counts());
    spread
        .placement()
        .putIfAbsent(UnitId.embedding(), rooms.tablesOnHost() ? Tier.HOST : Tier.DISK);
    long cached = groupBlocks * design.groups();
    long rest = rooms.host() - bytesOn(Tier.HOST);
    boolean never =
        cached >= design.mostSequences() * format.memory().blocks(sizes.contextLength());
    double restBlocks = (double) rest / sizes.kvBlockBytes();
    boolean swaps = !never && restBlocks >= 1;
    boolean onDevice = found.split().device() == design.groups();
    double onHost =
        onDevice && swaps ? Math.min(SWAP_SHARE * cached, SWAP_SHARE_OF_REST * restBlocks) : 0;
    return format
        .memory()
        .plan(
            design,
            found.split(),
            groupBlocks,
            spread.placement(),
            (int) onHost,
            swaps ? (int) Math.min(Integer.MAX_VALUE, cached) : 0)
        .withHostExperts(spread.hostExperts());
  }

  /** The most blocks per group that still fit, and are of use. */
  private long widest() {
    long least = found.candidate().groupBlocks();
    long longest = format.memory().blocks(sizes.contextLength());
    double wanted = format.usefulBlocks(design.mostSequences());
    long most = (long) Math.ceil(wanted / design.groups());
    most = Math.max(least, Math.max(most, (long) Math.min((double) longest, wanted)));
    most = Math.max(most, format.longRowBlocks(design));
    if (fits(most)) {
      return most;
    }
    long fits = least;
    while (fits < most) {
      long middle = fits + (most - fits + 1) / 2;
      if (fits(middle)) {
        fits = middle;
      } else {
        most = middle - 1;
      }
    }
    return fits;
  }

  private boolean fits(long blocks) {
    Rooms with = rooms(blocks);
    return bytesOn(Tier.DEVICE) <= with.resident()
        && bytesOn(Tier.HOST) <= with.host()
        && with.tablesOnHost() == found.rooms().tablesOnHost();
  }

  private Rooms rooms(long blocks) {
    return format.memory().rooms(design, found.split(), blocks);
  }

  private long bytesOn(Tier tier) {
    long bytes = 0;
    for (int i = 0; i < format.model().classes().size(); i++) {
      bytes += found.rounded().counts().get(i).bytesOn(tier, format.model().classes().get(i));
    }
    return bytes;
  }
}
