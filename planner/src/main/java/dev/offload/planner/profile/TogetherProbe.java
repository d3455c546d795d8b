package dev.offload.planner.profile;

import java.util.List;

/** Lets two lanes work at the same time. */
final class TogetherProbe {
  private static final int REPEATS = 3;

  private final double seconds;

  /**
   * @param seconds that each works if alone
   */
  TogetherProbe(double seconds) {
    this.seconds = seconds;
  }

  /** Alone and together by turns, so that a slow moment of the machine hits both. */
  Together measure(Activity one, Activity other) {
    int ones = count(one);
    int others = count(other);
    double[] onesAlone = new double[REPEATS];
    double[] othersAlone = new double[REPEATS];
    double[] together = new double[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
      onesAlone[i] = time(List.of(() -> one.run().accept(ones)));
      othersAlone[i] = time(List.of(() -> other.run().accept(others)));
      together[i] = time(List.of(() -> one.run().accept(ones), () -> other.run().accept(others)));
    }
    double oneSeconds = Sampler.median(onesAlone);
    double otherSeconds = Sampler.median(othersAlone);
    return new Together(
        one.name(),
        other.name(),
        Math.max(oneSeconds, otherSeconds),
        Sampler.median(together),
        ones * one.hostBytes() + others * other.hostBytes(),
        oneSeconds * one.cores() + otherSeconds * other.cores());
  }

  /**
   * How many cores work on something, the system's work for it included, while nothing else runs.
   */
  double busyCores(Activity activity) {
    int count = count(activity);
    BusyCores cores = BusyCores.since();
    time(List.of(() -> activity.run().accept(count)));
    return cores.untilNow();
  }

  private int count(Activity activity) {
    int count = 1;
    double took = time(List.of(() -> activity.run().accept(1)));
    while (took < seconds / 4) {
      int more = (int) Math.ceil(count * Math.min(8, seconds / 2 / took));
      count = Math.max(count + 1, more);
      int tried = count;
      took = time(List.of(() -> activity.run().accept(tried)));
    }
    return (int) Math.max(1, Math.round(count * seconds / took));
  }

  private static double time(List<Runnable> tasks) {
    long begin = System.nanoTime();
    Crew.run("offload-profile-lane", tasks);
    return Math.max(1, System.nanoTime() - begin) / 1e9;
  }
}
