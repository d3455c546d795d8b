package dev.offload.planner.search;

import java.util.List;

/**
 * What lives away from the device.
 *
 * @param classes of each class of units
 * @param hostExperts of the experts of each layer: on the host, computed there
 * @param streamed of the cache: on the host, streamed
 * @param attended of the cache: on the host, attended there
 */
record Shares(List<Away> classes, double hostExperts, double streamed, double attended) {
  Shares {
    classes = List.copyOf(classes);
  }

  /**
   * Shares of a class, from 0 to 1.
   *
   * @param host on the host, streamed
   * @param disk on disk, streamed
   */
  record Away(double host, double disk) {
    static final Away NOTHING = new Away(0, 0);
  }

  /** The loads of a pass with these shares. */
  Loads loads(PassLoads loads) {
    Loads sum = new Loads().add(1, loads.resident());
    sum.add(hostExperts, loads.hostExperts());
    sum.add(streamed, loads.streamedCache()).add(attended, loads.attendedCache());
    for (int i = 0; i < classes.size(); i++) {
      PassLoads.Changes changes = loads.classes().get(i);
      Away away = classes.get(i);
      sum.add(away.host(), changes.toHost());
      sum.add(away.disk(), changes.toDisk());
    }
    return sum;
  }
}
