package dev.offload.jobs;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.engine.Forecast;
import dev.offload.engine.RunReport;
import dev.offload.jobs.report.ComparisonPage;
import dev.offload.planner.Lane;
import dev.offload.planner.PassTimeline;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Runs beside what was forecast for them; several runs are taken together, as if they were one.
 *
 * @param rounds at least one; what the machine could do was measured anew for each, if it was
 */
record Comparison(List<Round> rounds) {
  /** What a lane has to be busy of the time for its error to say something. */
  static final double COUNTED_SHARE = 0.02;

  /**
   * A run and its forecasts.
   *
   * @param pass a pass of the run, task by task
   * @param predicted from what the machine could do before the run, and after it if that was
   *     measured; at least one, and what they say on average counts
   */
  record Round(RunReport measured, Optional<PassTimeline> pass, List<Forecast> predicted) {
    Round {
      predicted = List.copyOf(predicted);
    }

    /** A quantity as it was forecast. */
    double predicted(ToDoubleFunction<RunReport> of) {
      return predicted.stream()
          .mapToDouble(each -> of.applyAsDouble(each.report()))
          .average()
          .orElseThrow();
    }
  }

  /**
   * A quantity both ways.
   *
   * @param what it is, for scripts
   */
  record Both(String what, double measured, double predicted) {
    /** Of the prediction, as a share of what was measured. */
    double error() {
      return predicted / measured - 1;
    }
  }

  Comparison {
    rounds = List.copyOf(rounds);
  }

  /** What was measured, in order. */
  List<RunReport> runs() {
    return rounds.stream().map(Round::measured).toList();
  }

  /** Prompt and generated tokens per second. */
  Both tokensPerSecond() {
    return rate("tokens_per_s", RunReport::totalTokensPerSecond);
  }

  /**
   * How far the rounds' own tokens per second are apart, the largest less the smallest as a share
   * of their median: what nobody can forecast, as the same was run again and again.
   */
  double spread() {
    double[] rates =
        rounds.stream().mapToDouble(each -> each.measured().totalTokensPerSecond()).toArray();
    return (Arrays.stream(rates).max().orElseThrow() - Arrays.stream(rates).min().orElseThrow())
        / median(rates);
  }

  /** Length of a pass on average. */
  Both passSeconds() {
    return both("pass_seconds", run -> run.wallNanos() / 1e9 / run.passes());
  }

  /** How long a lane was busy. */
  Both busySeconds(Lane lane) {
    return both(
        name(lane), run -> run.busyShares().getOrDefault(lane, 0.0) * run.wallNanos() / 1e9);
  }

  /** Error of a lane; nothing for those that were next to idle. */
  OptionalDouble error(Lane lane) {
    double wall = both("", run -> run.wallNanos() / 1e9).measured();
    Both busy = busySeconds(lane);
    boolean counts = Math.max(busy.measured(), busy.predicted()) >= COUNTED_SHARE * wall;
    return counts ? OptionalDouble.of(busy.error()) : OptionalDouble.empty();
  }

  /** Of several rounds, all of the same work, the mean. */
  private Both both(String what, ToDoubleFunction<RunReport> of) {
    return new Both(
        what,
        mean(rounds.stream().mapToDouble(round -> of.applyAsDouble(round.measured()))),
        mean(rounds.stream().mapToDouble(round -> round.predicted(of))));
  }

  /** What was done in all rounds over the time that it took, as each did the same. */
  private Both rate(String what, ToDoubleFunction<RunReport> of) {
    Both time = both(what, run -> 1 / of.applyAsDouble(run));
    return new Both(what, 1 / time.measured(), 1 / time.predicted());
  }

  private static double mean(DoubleStream values) {
    return values.average().orElseThrow();
  }

  /** The middle one, or the mean of the two in the middle. */
  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** What kinds of tasks took in the pass that was recorded in the last run, in seconds. */
  List<Both> kinds() {
    Map<String, Double> measured =
        rounds.getLast().pass().map(ComparisonPage::kinds).orElse(Map.of());
    Map<String, Double> predicted = predictedPass().map(ComparisonPage::kinds).orElse(Map.of());
    return Stream.concat(measured.keySet().stream(), predicted.keySet().stream())
        .distinct()
        .sorted()
        .map(
            kind ->
                new Both(kind, measured.getOrDefault(kind, 0.0), predicted.getOrDefault(kind, 0.0)))
        .toList();
  }

  /** The pass that was recorded in the last run, as it was forecast. */
  Optional<PassTimeline> predictedPass() {
    Round last = rounds.getLast();
    Forecast first = last.predicted().getFirst();
    return last.pass()
        .filter(pass -> pass.pass() <= first.passes().size())
        .map(pass -> first.timeline((int) pass.pass()));
  }

  /**
   * A page that lays a pass of the last run over its forecast.
   *
   * @param title of the run
   * @throws IllegalStateException if no pass was recorded
   */
  String page(String title) {
    List<ComparisonPage.Line> lines = new ArrayList<>();
    forEachLine(
        (what, format, both, error) ->
            lines.add(
                new ComparisonPage.Line(
                    what,
                    format.formatted(both.measured()),
                    format.formatted(both.predicted()),
                    percent(error))));
    PassTimeline measured =
        rounds.getLast().pass().orElseThrow(() -> new IllegalStateException("no pass recorded"));
    return ComparisonPage.html(title, lines, measured, predictedPass().orElseThrow());
  }

  /** Adds {@code predicted} to a report. */
  void addTo(ObjectNode json) {
    ObjectNode predicted = json.putObject("predicted");
    predicted.put("rounds", rounds.size());
    add(predicted, tokensPerSecond());
    add(predicted, rate("prefill_tokens_per_s", RunReport::prefillTokensPerSecond));
    add(predicted, rate("decode_tokens_per_s", RunReport::decodeTokensPerSecond));
    add(predicted, both("wall_seconds", run -> run.wallNanos() / 1e9));
    add(predicted, both("passes", RunReport::passes));
    add(predicted, passSeconds());
    ObjectNode lanes = predicted.putObject("lanes");
    for (Lane lane : Lane.values()) {
      ObjectNode of = add(lanes, busySeconds(lane));
      of.put("counts", error(lane).isPresent());
    }
    ObjectNode kinds = predicted.putObject("tasks_of_a_pass");
    kinds().forEach(both -> add(kinds, both));
    ArrayNode each = predicted.putArray("each_round");
    for (Round round : rounds) {
      ObjectNode of = each.addObject();
      of.put("measured_tokens_per_s", round.measured().totalTokensPerSecond());
      of.put("predicted_tokens_per_s", round.predicted(RunReport::totalTokensPerSecond));
    }
  }

  private static ObjectNode add(ObjectNode to, Both both) {
    ObjectNode of = to.putObject(both.what());
    of.put("measured", both.measured());
    of.put("predicted", both.predicted());
    if (both.measured() > 0) {
      of.put("error", both.error());
    }
    return of;
  }

  /** The same for people. */
  void print(PrintWriter out) {
    out.printf("%n%-12s %12s %12s %9s%n", "", "measured", "forecast", "error");
    forEachLine(
        (what, format, both, error) ->
            out.printf(
                "%-12s %12s %12s %9s%n",
                what,
                format.formatted(both.measured()),
                format.formatted(both.predicted()),
                percent(error)));
    rounds.getLast().pass().ifPresent(pass -> printKinds(out, pass));
  }

  private void printKinds(PrintWriter out, PassTimeline pass) {
    out.printf(
        "%nms of tasks in pass %,d, of %,d tokens%n%-32s %9s %9s%n",
        pass.pass(), pass.tokens(), "", "measured", "forecast");
    for (Both kind : kinds()) {
      out.printf("%-32s %9.3f %9.3f%n", kind.what(), 1e3 * kind.measured(), 1e3 * kind.predicted());
    }
  }

  private interface LineTaker {
    void take(String what, String format, Both both, OptionalDouble error);
  }

  private void forEachLine(LineTaker taker) {
    Both tokens = tokensPerSecond();
    taker.take("tokens/s", "%,.1f", tokens, OptionalDouble.of(tokens.error()));
    Both pass = passSeconds();
    taker.take("s per pass", "%.4f", pass, OptionalDouble.of(pass.error()));
    for (Lane lane : Lane.values()) {
      taker.take("s of " + name(lane), "%.3f", busySeconds(lane), error(lane));
    }
  }

  static String percent(OptionalDouble error) {
    return error.isEmpty() ? "idle" : "%+.1f %%".formatted(100 * error.getAsDouble());
  }

  static String name(Lane lane) {
    return lane.name().toLowerCase(Locale.ROOT);
  }
}
