package dev.offload.planner.search;

import dev.offload.planner.Workload;
import dev.offload.planner.cost.AttentionLoad;
import dev.offload.planner.search.Candidate.Whole;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * How long a job of so many requests takes, its beginning and its end included: passes are played
 * one after the other with requests of mean length, in cohorts whose prompts ended together. Of
 * long jobs the middle is not played but taken to go on at the rate it has then. Used once.
 */
final class JobTime {
  /** Fillings of all places that are played: two to settle, two to measure, one to drain. */
  private static final int SETTLED = 2;

  private static final int MEASURED = 4;
  private static final int PLAYED = 5;

  /** Flows that differ by less than this factor take as long. */
  private static final double ALIKE = Math.log(1.02);

  /** Requests whose prompts ended in the same pass. */
  private static final class Cohort {
    private final double count;
    private double outputLeft;

    Cohort(double count, double outputTokens) {
      this.count = count;
      this.outputLeft = outputTokens;
    }
  }

  private record Alike(long decoding, long context, long prompts) {}

  private final Whole plan;
  private final double prompt;
  private final double output;
  private final double places;
  private final double room;
  private final Deque<Cohort> running = new ArrayDeque<>();
  private final Map<Alike, Double> known = new HashMap<>();
  private double waiting;
  private double promptsLeft;
  private double finished;
  private double seconds;

  private JobTime(Whole plan, Workload workload) {
    this.plan = plan;
    this.prompt = Math.max(1, Math.rint(workload.meanPromptTokens()));
    this.output = Math.max(1, Math.rint(workload.meanGeneratedTokens()));
    this.places = plan.candidate().design().sequences();
    this.room = plan.candidate().design().passTokens();
  }

  /** Seconds of the job. */
  static double seconds(Whole plan, Workload workload, long requests) {
    return new JobTime(plan, workload).play(requests);
  }

  private double play(long requests) {
    double played = Math.min((double) requests, PLAYED * places);
    double settled = Double.NaN;
    double perRequest = 0;
    double settledFinished = 0;
    waiting = played;
    while (finished < played * (1 - 1e-12)) {
      pass();
      if (Double.isNaN(settled) && finished >= SETTLED * places) {
        settled = seconds;
        settledFinished = finished;
      }
      if (perRequest == 0 && finished >= MEASURED * places) {
        perRequest = (seconds - settled) / (finished - settledFinished);
      }
    }
    return seconds + (requests - played) * perRequest;
  }

  private void pass() {
    double decoding = 0;
    double context = 0;
    for (Cohort cohort : running) {
      decoding += cohort.count;
      context += cohort.count * (prompt + output - cohort.outputLeft);
    }
    double entering = Math.min(waiting, places - decoding - promptsLeft / prompt);
    waiting -= entering;
    promptsLeft += entering * prompt;
    double prompts = Math.min(promptsLeft, Math.max(0, room - decoding));
    promptsLeft -= prompts;
    double firsts = prompts / prompt;
    seconds += seconds(decoding, decoding == 0 ? 0 : context / decoding, prompts, firsts);
    running.forEach(cohort -> cohort.outputLeft--);
    if (firsts > 0) {
      running.add(new Cohort(firsts, output - 1));
    }
    while (!running.isEmpty() && running.getFirst().outputLeft <= 0) {
      finished += running.removeFirst().count;
    }
  }

  private double seconds(double decoding, double context, double prompts, double firsts) {
    Alike alike = new Alike(bucket(decoding), bucket(context), bucket(prompts));
    return known.computeIfAbsent(
        alike,
        _ ->
            plan.seconds(
                new PassFlow(
                    firsts,
                    decoding + firsts,
                    new AttentionLoad(decoding, context, prompts, (prompt + 1) / 2))));
  }

  private static long bucket(double value) {
    return Math.round(Math.log1p(value) / ALIKE);
  }
}
