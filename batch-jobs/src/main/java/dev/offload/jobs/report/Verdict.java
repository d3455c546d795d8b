package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.LaneShare;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Work;
import dev.offload.tensors.ByteSize;
import java.util.List;
import java.util.Locale;

/**
 * What bounded a job, and what would make it faster, as far as its figures tell.
 *
 * @param bound a lane such as {@code gpu}; {@code rows}: the engine waited for them; {@code
 *     choosing}: tokens were chosen while lanes were idle; {@code waiting}: lanes waited for each
 *     other; {@code nothing}: there was nothing to compute
 * @param share of the wall time that this took
 * @param headline a few words
 * @param sentence what was found
 * @param advice what would help
 */
public record Verdict(String bound, double share, String headline, String sentence, String advice) {
  /** A lane that is busy for less was waiting for something else. */
  private static final double BUSY = 0.6;

  /** What takes at least so much while lanes are idle is worth a word. */
  private static final double NOTABLE = 0.2;

  /** Sequences in a pass below this share of the room leave weights little used. */
  private static final double EMPTY = 0.5;

  /** Shorter runs are over before Java has compiled what they use. */
  private static final double WARM_UP_SECONDS = 10;

  /** Finds out. */
  static Verdict of(Work work, List<LaneShare> lanes, Memory memory) {
    if (work.passes() == 0) {
      return new Verdict(
          "nothing",
          0,
          "Nothing to compute",
          "No row had to be computed.",
          "Nothing is to be done.");
    }
    LaneShare busiest = lanes.isEmpty() ? new LaneShare("gpu", 0) : lanes.getFirst();
    double wall = Math.max(work.wallSeconds(), 1e-9);
    double rows = work.rowWaitSeconds() / wall;
    double choosing = work.choosingSeconds() / wall;
    Verdict verdict;
    if (busiest.busyShare() >= BUSY) {
      verdict = ofLane(busiest, work, memory);
    } else if (rows >= NOTABLE && rows >= choosing) {
      verdict =
          new Verdict(
              "rows",
              rows,
              "Rows",
              "The engine stood still for %s of the time because rows had not arrived."
                  .formatted(percent(rows)),
              "Reading and tokenizing rows takes one thread: shorter prompts, an input on a faster"
                  + " disk or several jobs side by side would help.");
    } else if (choosing >= NOTABLE) {
      verdict =
          new Verdict(
              "choosing",
              choosing,
              "Choosing tokens",
              "For %s of the time tokens were chosen from logits while all lanes stood still."
                  .formatted(percent(choosing)),
              "Large vocabularies, log-probabilities, penalties and sampling make it longer.");
    } else {
      verdict = waiting(busiest, work);
    }
    return work.wallSeconds() < WARM_UP_SECONDS ? verdict.andShort(work) : verdict;
  }

  private static Verdict ofLane(LaneShare lane, Work work, Memory memory) {
    String busy = percent(lane.busyShare());
    long hostWeights = memory.weights().host() + memory.weights().disk();
    return switch (lane.lane()) {
      case "gpu" ->
          new Verdict(
              "gpu",
              lane.busyShare(),
              "Computing",
              "The device was computing for %s of the time; the other lanes kept up."
                  .formatted(busy),
              moreAtATime(work)
                  + "Otherwise only a faster device, more of its threads or a narrower number format"
                  + " helps, not more memory.");
      case "h2d" ->
          new Verdict(
              "h2d",
              lane.busyShare(),
              "Copies to the device",
              "Copies to the device ran for %s of the time: %s of weights live off it%s."
                  .formatted(
                      busy,
                      ByteSize.format(hostWeights),
                      memory.cache().host() > 0
                          ? ", and %s of cache".formatted(ByteSize.format(memory.cache().host()))
                          : ""),
              moreAtATime(work)
                  + "More --device-memory keeps more of them there: %s would keep all weights."
                      .formatted(ByteSize.formatUp(memory.device().budgetBytes() + hostWeights)));
      case "disk" ->
          new Verdict(
              "disk",
              lane.busyShare(),
              "The disk",
              "Weights were read from disk for %s of the time, %s in all."
                  .formatted(busy, ByteSize.format(work.diskBytes())),
              moreAtATime(work)
                  + "%s more --host-memory would take the weights off the disk."
                      .formatted(ByteSize.formatUp(memory.weights().disk())));
      case "d2h" ->
          new Verdict(
              "d2h",
              lane.busyShare(),
              "Copies from the device",
              "Copies from the device ran for %s of the time.".formatted(busy),
              "More --device-memory keeps more of the cache there.");
      default ->
          new Verdict(
              lane.lane(),
              lane.busyShare(),
              "The CPU",
              "The CPU worked for %s of the time%s."
                  .formatted(
                      busy,
                      memory.cache().host() > 0
                          ? ", attending to %s of cache in host memory"
                              .formatted(ByteSize.format(memory.cache().host()))
                          : ""),
              memory.cache().host() > 0
                  ? "More --device-memory keeps more of the cache on the device; more --threads help too."
                  : "More --threads help.");
    };
  }

  private static Verdict waiting(LaneShare busiest, Work work) {
    return new Verdict(
        "waiting",
        busiest.busyShare(),
        "Waiting",
        "No lane was busy for more than %s of the time (%s): they waited for each other."
            .formatted(percent(busiest.busyShare()), busiest.lane()),
        moreAtATime(work).isEmpty()
            ? "Passes with more tokens, or more memory for the ring through which weights come,"
                + " let lanes overlap."
            : moreAtATime(work).strip());
  }

  /** What to say if passes were far from full. */
  private static String moreAtATime(Work work) {
    if (work.roomForSequences() == 0
        || work.averageSequences() >= EMPTY * work.roomForSequences()) {
      return "";
    }
    return String.format(
        Locale.ROOT,
        "A pass had %.0f sequences on average, of %d that it may have: more rows, or a cache with"
            + " room for more of them (--kv-tokens, --device-memory), give more tokens per pass. ",
        work.averageSequences(),
        work.roomForSequences());
  }

  private Verdict andShort(Work work) {
    return new Verdict(
        bound,
        share,
        headline,
        sentence,
        advice
            + String.format(
                Locale.ROOT,
                " The job computed for %.1f s only, in which Java was still compiling: longer jobs"
                    + " are faster.",
                work.wallSeconds()));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }
}
