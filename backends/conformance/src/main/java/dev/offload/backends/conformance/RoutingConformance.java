package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.RouterSpec;
import dev.offload.backends.api.RouterSpec.Scoring;
import dev.offload.tensors.DType;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/** Choosing experts and adding up what they give. Error of a weight: {@value #SHARE}. */
interface RoutingConformance extends ConformanceTopic {
  double SHARE = 3e-6;

  @Check
  default void shouldRouteWithEveryScoring() {
    for (Scoring scoring : Scoring.values()) {
      for (DType dtype : DType.values()) {
        repeat(
            6,
            fixture -> {
              int experts = fixture.any(4, 13, 32, 207);
              RoutingRun run = new RoutingRun(fixture, scoring, experts, fixture.any(1, 3, 4));
              run.check(dtype, fixture.numbers(fixture.any(1, 13, 70), experts, 8, dtype));
            });
      }
    }
  }

  @Check
  default void shouldBreakTiesByNumber() {
    for (Scoring scoring : Scoring.values()) {
      repeat(
          2,
          fixture -> {
            double[][] logits = fixture.numbers(20, 32, 3, DType.F32);
            for (double[] row : logits) {
              for (int i = 0; i < row.length; i++) {
                row[i] = Math.rint(row[i]);
              }
            }
            Arrays.fill(logits[0], 0);
            new RoutingRun(fixture, scoring, 32, 6).check(DType.F32, logits);
          });
    }
  }

  @Check
  default void shouldStandExtremeLogits() {
    for (Scoring scoring : Scoring.values()) {
      repeat(
          2,
          fixture -> {
            RoutingRun run = new RoutingRun(fixture, scoring, 16, 2);
            run.normalise = false;
            run.check(DType.F32, fixture.numbers(20, 16, 80, DType.F32));
          });
    }
  }

  @Check
  default void shouldCorrectTheChoiceOnly() {
    for (Scoring scoring : new Scoring[] {Scoring.SIGMOID, Scoring.SOFTMAX}) {
      repeat(
          6,
          fixture -> {
            RoutingRun run = new RoutingRun(fixture, scoring, 32, 4);
            run.correction = correction(fixture, 32);
            run.check(DType.F32, fixture.numbers(40, 32, 3, DType.F32));
          });
    }
  }

  @Check
  default void shouldLookAtTheBestGroupsOnly() {
    repeat(
        8,
        fixture -> {
          RoutingRun run = new RoutingRun(fixture, Scoring.SIGMOID, 32, 4);
          run.groups = fixture.any(4, 8);
          run.groupsKept = 2;
          if (fixture.random().nextBoolean()) {
            run.correction = correction(fixture, 32);
          }
          run.check(DType.F32, fixture.numbers(40, 32, 3, DType.F32));
        });
  }

  private static double[] correction(DeviceFixture fixture, int experts) {
    return fixture.numbers(1, experts, 0.5, DType.F32)[0];
  }

  @Check
  default void shouldCombineExpertOutputs() {
    for (DType dtype : DType.values()) {
      for (boolean accumulate : new boolean[] {false, true}) {
        repeat(4, fixture -> checkCombine(fixture, dtype, accumulate));
      }
    }
  }

  private static void checkCombine(DeviceFixture fixture, DType dtype, boolean accumulate) {
    int tokens = fixture.any(1, 5, 60);
    int perToken = fixture.any(1, 3, 8);
    int columns = fixture.any(1, 13, 64, 207);
    double[][] y = fixture.numbers(tokens * perToken, columns, 2, dtype);
    double[][] weights = fixture.numbers(tokens, perToken, 1, DType.F32);
    double[][] held = fixture.numbers(tokens, columns, 2, DType.F32);
    int[] rows = fixture.random().ints((long) tokens * perToken, 0, y.length).toArray();
    Matrix out =
        accumulate ? fixture.matrix(DType.F32, held) : fixture.output(DType.F32, tokens, columns);
    fixture
        .operations()
        .combine(
            fixture.stream(),
            fixture.matrix(dtype, y),
            fixture.indices(rows),
            fixture.matrix(DType.F32, weights),
            accumulate,
            out);
    double[][] values = new double[tokens][columns];
    double[][] sizes = new double[tokens][columns];
    for (int t = 0; t < tokens; t++) {
      for (int i = 0; i < columns; i++) {
        values[t][i] = accumulate ? held[t][i] : 0;
        sizes[t][i] = Math.abs(values[t][i]);
        for (int j = 0; j < perToken; j++) {
          double summand = weights[t][j] * y[rows[t * perToken + j]][i];
          values[t][i] += summand;
          sizes[t][i] += Math.abs(summand);
        }
      }
    }
    new Expected(values, sizes).check(fixture.read(out), DType.F32, 0x1p-21, "combine");
    fixture.expectUntouchedBut(out);
  }

  @Check
  default void shouldRefuseRoutesThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix logits = fixture.output(DType.F32, 3, 8);
          Matrix weights = fixture.output(DType.F32, 3, 2);
          Indices experts = fixture.indices(new int[6]);
          Indices few = fixture.indices(new int[5]);
          var operations = fixture.operations();
          var stream = fixture.stream();
          RouterSpec two = spec(2, 1, 1);
          Refusals.expect(
              "2", "3", () -> operations.route(stream, logits, spec(3, 1, 1), experts, weights));
          Refusals.expect("5", "6", () -> operations.route(stream, logits, two, few, weights));
          Refusals.expect(
              "3", "8", () -> operations.route(stream, logits, spec(2, 3, 1), experts, weights));
          Refusals.expect(
              "1", "2", () -> operations.route(stream, logits, spec(2, 8, 1), experts, weights));
          Refusals.expect(
              "8", "2", () -> operations.combine(stream, logits, experts, weights, false, weights));
          fixture.expectUntouchedBut();
        });
  }

  private static RouterSpec spec(int perToken, int groups, int groupsKept) {
    return new RouterSpec(
        perToken, Scoring.SIGMOID, false, 1, groups, groupsKept, Optional.empty());
  }

  /** One routing, compared with the reference; fields are the case's settings. */
  final class RoutingRun {
    private final DeviceFixture fixture;
    private final Scoring scoring;
    private final int experts;
    private final int perToken;
    private boolean normalise;
    private int groups = 1;
    private int groupsKept = 1;
    private double[] correction = {};

    RoutingRun(DeviceFixture fixture, Scoring scoring, int experts, int perToken) {
      this.fixture = fixture;
      this.scoring = scoring;
      this.experts = experts;
      this.perToken = perToken;
      normalise = fixture.random().nextBoolean();
    }

    void check(DType dtype, double[][] logits) {
      float scale = 2.5f;
      RouterSpec spec =
          new RouterSpec(
              perToken,
              scoring,
              normalise,
              scale,
              groups,
              groupsKept,
              correction.length == 0 ? Optional.empty() : Optional.of(fixture.vector(correction)));
      Matrix weights = fixture.output(DType.F32, logits.length, perToken);
      Indices chosen =
          fixture.indices(
              IntStream.generate(() -> -7).limit(weights.rows() * (long) perToken).toArray());
      Matrix in = fixture.matrix(dtype, logits);
      fixture.operations().route(fixture.stream(), in, spec, chosen, weights);
      int[] gotExperts = fixture.read(chosen);
      double[][] gotWeights = fixture.read(weights);
      double[][] wantWeights = new double[logits.length][perToken];
      for (int t = 0; t < logits.length; t++) {
        ReferenceOperations.Routing want =
            ReferenceOperations.route(
                logits[t], perToken, scoring, normalise, scale, groups, groupsKept, correction);
        int[] got = Arrays.copyOfRange(gotExperts, t * perToken, (t + 1) * perToken);
        assertArrayEquals(
            want.experts().stream().mapToInt(Integer::intValue).toArray(),
            got,
            () -> spec + " of " + experts + " experts");
        for (int j = 0; j < perToken; j++) {
          wantWeights[t][j] = want.weights().get(j);
        }
      }
      Expected.of(wantWeights).check(gotWeights, DType.F32, SHARE, spec);
      fixture.expectUntouchedBut(DeviceFixture.Written.of(chosen), weights);
    }
  }
}
