package dev.offload.planner.peers;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/**
 * The policies of FlexGen's published benchmark suite ({@code benchmark/flexgen/bench_suite.py} in
 * FMInference/FlexGen), with which its published throughputs were measured on one T4.
 */
public final class FlexGenSuite {
  private static final String RESOURCE = "flexgen-suite.json";

  private final List<Case> cases;

  private FlexGenSuite(List<Case> cases) {
    this.cases = cases;
  }

  /** The suite as it is shipped. */
  public static FlexGenSuite load() {
    JsonMapper mapper =
        JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
    try (InputStream in = FlexGenSuite.class.getResourceAsStream(RESOURCE)) {
      return new FlexGenSuite(List.of(mapper.readValue(in, Case[].class)));
    } catch (IOException e) {
      throw new UncheckedIOException(RESOURCE + " of this program cannot be read", e);
    }
  }

  /** The policy of a measurement, if the suite has it. */
  public Optional<FlexGenPolicy> policy(
      String model, int promptTokens, int generatedTokens, boolean quantised) {
    return cases.stream()
        .filter(each -> each.model().equals(model))
        .filter(each -> each.promptTokens() == promptTokens)
        .filter(each -> each.generatedTokens() == generatedTokens)
        .filter(each -> each.quantised() == quantised)
        .map(Case::policy)
        .findFirst();
  }

  /**
   * One run of the suite.
   *
   * @param quantised whether it is one of the runs with compression
   */
  private record Case(
      String model,
      int promptTokens,
      int generatedTokens,
      boolean quantised,
      FlexGenPolicy policy) {}
}
