package dev.offload.jobs.plan;

import dev.offload.jobs.plan.Outcome.Predicted;
import dev.offload.jobs.plan.Outcome.Unknown;
import dev.offload.planner.flexgen.FlexGenSolution;
import dev.offload.planner.peers.FlexGenCosts;
import dev.offload.planner.peers.FlexGenLoop;
import dev.offload.planner.peers.FlexGenMachine;
import dev.offload.planner.peers.FlexGenPolicy;
import dev.offload.planner.peers.FlexGenSuite;
import dev.offload.planner.peers.OptModel;
import dev.offload.planner.peers.PeerPrediction;
import java.util.Optional;

/** What FlexGen's loop, and FlexGen's cost model, give for FlexGen's own points. */
final class FlexGenPoints {
  /** Whose points these are. */
  static final String SYSTEM = "FlexGen";

  private static final String GPU = "T4";

  private final FlexGenSuite suite = FlexGenSuite.load();

  /** By the loop as the program executes it. */
  Predictor loop() {
    return new OfPolicy("peer", "its loop") {
      @Override
      Predicted predict(PublishedPoint point, OptModel model, FlexGenPolicy policy) {
        PeerPrediction prediction =
            FlexGenLoop.predict(
                model, policy, FlexGenMachine.T4, point.promptTokens(), point.generatedTokens());
        double share = prediction.share(prediction.bottleneck());
        return new Predicted(
            prediction.tokensPerSecond(),
            "%s %.0f %%".formatted(prediction.bottleneck().words(), 100 * share));
      }
    };
  }

  /** By the cost model of its linear program. */
  Predictor costModel() {
    return new OfPolicy("peer_cost_model", "its LP") {
      @Override
      Predicted predict(PublishedPoint point, OptModel model, FlexGenPolicy policy) {
        FlexGenSolution solution =
            FlexGenCosts.predict(model, policy, point.promptTokens(), point.generatedTokens());
        return new Predicted(solution.tokensPerSecond(), "");
      }
    };
  }

  /** Predicts points of which the policy is known. */
  private abstract class OfPolicy implements Predictor {
    private final String field;
    private final String title;

    OfPolicy(String field, String title) {
      this.field = field;
      this.title = title;
    }

    abstract Predicted predict(PublishedPoint point, OptModel model, FlexGenPolicy policy);

    @Override
    public String field() {
      return field;
    }

    @Override
    public String title() {
      return title;
    }

    @Override
    public Outcome predict(PublishedPoint point) {
      if (!point.system().equals(SYSTEM)) {
        return new Unknown("the policy with which " + point.system() + " ran is not known");
      }
      if (!point.gpu().equals(GPU)) {
        return new Unknown("FlexGen's loop is known on a " + GPU + ", not on " + point.gpu());
      }
      Optional<OptModel> model = OptModel.named(point.model());
      if (model.isEmpty()) {
        return new Unknown("the shape of " + point.model() + " is not known");
      }
      Optional<FlexGenPolicy> policy =
          suite.policy(
              point.model(), point.promptTokens(), point.generatedTokens(), point.quantised());
      if (policy.isEmpty()) {
        return new Unknown("FlexGen's benchmark suite has no policy for this load");
      }
      Optional<String> contradiction =
          point.policy().flatMap(stated -> stated.contradiction(policy.get()));
      return contradiction.isPresent()
          ? new Unknown(contradiction.get())
          : predict(point, model.get(), policy.get());
    }
  }
}
