package dev.offload.planner.search;

import dev.offload.planner.KvGroup.Home;

/**
 * How many KV groups live where.
 *
 * @param device on the device
 * @param streamed on the host, copied to the device for each layer
 * @param attended on the host, attended there
 */
record KvSplit(int device, int streamed, int attended) {

  /** All groups in one home. */
  static KvSplit all(Home home, int groups) {
    return switch (home) {
      case DEVICE -> new KvSplit(groups, 0, 0);
      case HOST_STREAMED -> new KvSplit(0, groups, 0);
      case HOST_ATTENDED -> new KvSplit(0, 0, groups);
    };
  }

  int groups() {
    return device + streamed + attended;
  }

  /**
   * Places on the device through which the cache of streamed groups passes: one for each group, so
   * that all of the next layer's cache can arrive while the device computes the rest of a layer.
   */
  int slots() {
    return streamed == 0 ? 0 : Math.max(2, streamed);
  }

  double streamedShare() {
    return (double) streamed / groups();
  }

  double attendedShare() {
    return (double) attended / groups();
  }

  /** Those attended on the host come first: while they are, the device attends to the others. */
  Home home(int group) {
    if (group < attended) {
      return Home.HOST_ATTENDED;
    }
    return group < attended + streamed ? Home.HOST_STREAMED : Home.DEVICE;
  }
}
