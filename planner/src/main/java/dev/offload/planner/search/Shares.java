package dev.offload.planner.search;

import java.util.List;

/**
 * What lives away from the device.
 *
 * @param classes of each class of units
 * @param streamed of the cache: on the host, streamed
 * @param attended of the cache: on the host, attended there
 */
record Shares(List<Away> classes, double streamed, double attended) {
  Shares {
    classes = List.copyOf(classes);
  }

  /**
   * Shares of a class, from 0 to 1.
   *
   * @param host on the host, streamed
   * @param disk on disk, streamed
   * @param cores on the host, computed there
   */
  record Away(double host, double disk, double cores) {
    static final Away NOTHING = new Away(0, 0, 0);

    double device() {
      return 1 - host - disk - cores;
    }
  }

  /** The loads of a pass with these shares. */
  Loads loads(PassLoads loads) {
    Loads sum = new Loads().add(1, loads.resident());
    sum.add(streamed, loads.streamedCache()).add(attended, loads.attendedCache());
    for (int i = 0; i < classes.size(); i++) {
      PassLoads.Changes changes = loads.classes().get(i);
      Away away = classes.get(i);
      sum.add(away.host(), changes.toHost());
      sum.add(away.disk(), changes.toDisk());
      sum.add(away.cores(), changes.toCores());
    }
    return sum;
  }
}
