package dev.offload.jobs.plan;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.planner.flexgen.FlexGenSolution;
import dev.offload.planner.flexgen.Shares;
import java.util.Optional;

/** A solution of FlexGen's program as a line of JSON. */
final class FlexGenAnswer {
  private static final JsonMapper MAPPER = new JsonMapper();

  private FlexGenAnswer() {}

  /** One line without its end. Empty means that no policy fits the memories. */
  static String line(Optional<FlexGenSolution> solution) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("status", solution.isPresent() ? "optimal" : "infeasible");
    json.put("T_s", solution.map(FlexGenSolution::seconds).orElse(null));
    json.put("throughput_tok_s", solution.map(FlexGenSolution::tokensPerSecond).orElse(null));
    if (solution.isEmpty()) {
      json.putNull("shares");
    } else {
      ObjectNode shares = json.putObject("shares");
      put(shares, "weights", solution.get().shares().weights());
      put(shares, "cache", solution.get().shares().cache());
      put(shares, "hidden", solution.get().shares().hidden());
    }
    return json.toString();
  }

  private static void put(ObjectNode shares, String name, Shares.Tiers tiers) {
    ObjectNode json = shares.putObject(name);
    json.put("gpu", tiers.gpu());
    json.put("cpu", tiers.cpu());
    json.put("disk", tiers.disk());
  }
}
