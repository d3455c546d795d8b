package dev.offload.planner.search;

import dev.offload.planner.Recommendation.Operation;
import dev.offload.planner.cost.Compute;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the operations of a pass take on the device, by name in the order of a pass. */
final class OperationTotals {
  private static final List<String> ORDER =
      List.of(
          "embedding",
          "projections",
          "attention",
          "feed-forward",
          "routers",
          "shared experts",
          "experts",
          "output");

  private final Map<String, Compute> totals = new LinkedHashMap<>();

  OperationTotals() {
    ORDER.forEach(name -> totals.put(name, Compute.NONE));
  }

  void add(String name, Compute work) {
    totals.merge(name, work, Compute::plus);
  }

  /** Those that the model has. */
  List<Operation> list() {
    return totals.entrySet().stream()
        .filter(entry -> entry.getValue().seconds() > 0)
        .map(
            entry ->
                new Operation(
                    entry.getKey(),
                    entry.getValue().flops(),
                    entry.getValue().bytes(),
                    entry.getValue().seconds()))
        .toList();
  }
}
