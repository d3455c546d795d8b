package dev.offload.planner.simulate;

import dev.offload.planner.Lane;
import dev.offload.planner.PassShape;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.planner.cost.Cost;
import dev.offload.planner.cost.TaskCosts;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Plays schedules pass by pass as the overlapped executor does: the tasks of a lane in order, each
 * when its lane is free and all that it waits for is done. What runs at a time shares the machine:
 * where more is wanted of host memory, link or cores than there is, all that draw on it slow down
 * in proportion, and the scarcest of what a task needs decides how fast it is. Between two events
 * speeds are constant, so time goes from event to event and nothing is approximated.
 *
 * <p>Tasks behind a pass's result go on during the next pass, as in the engine. Not thread-safe.
 */
public final class Simulator {
  private static final Lane[] LANES = Lane.values();

  /** A task of a lane that has not begun. */
  private record Waiting(Task task, PassShape pass) {}

  /** A task of a lane that goes on. */
  private record Running(Task task, Flow flow, double begin) {}

  private final TaskCosts costs;
  private final Capacities capacities;
  private final Map<Lane, Deque<Waiting>> waiting = new EnumMap<>(Lane.class);
  private final Map<Lane, Running> running = new EnumMap<>(Lane.class);
  private final Map<Lane, Double> busy = new EnumMap<>(Lane.class);
  private final BitSet done = new BitSet();
  private final List<Flow> flows = new ArrayList<>();
  private List<PlayedPass.Entry> played = new ArrayList<>();
  private double now;
  private long passes;

  /** Layer whose experts' tokens are known, of the pass that is played. */
  private int lastRegrouped = -1;

  public Simulator(Capacities capacities, TaskCosts costs) {
    this.capacities = capacities;
    this.costs = costs;
    for (Lane lane : LANES) {
      waiting.put(lane, new ArrayDeque<>());
    }
  }

  /**
   * Plays a pass until its result is there.
   *
   * @param schedule the one that follows the last one played
   * @param pass what the schedule was made for
   */
  public PlayedPass play(Schedule schedule, PassShape pass) {
    double begin = now;
    passes++;
    lastRegrouped = -1;
    played = new ArrayList<>();
    for (Task task : schedule.tasks()) {
      waiting.get(task.lane()).add(new Waiting(task, pass));
    }
    int result = Math.toIntExact(schedule.resultTask());
    runUntil(() -> done.get(result));
    List<PlayedPass.Entry> entries = played;
    running.values().stream()
        .map(each -> new PlayedPass.Entry(each.task, each.begin, now))
        .forEach(entries::add);
    return new PlayedPass(pass, begin, now, entries);
  }

  /** Work of the engine's own thread between two passes; lanes go on with what they have. */
  public void between(Cost cost) {
    if (cost.seconds() > 0) {
      Flow flow = new Flow(cost);
      flows.add(flow);
      runUntil(flow::isDone);
      flows.remove(flow);
    }
  }

  /** Seconds since the beginning. */
  public double now() {
    return now;
  }

  /** Seconds that each lane has been busy so far. */
  public Map<Lane, Double> busySeconds() {
    Map<Lane, Double> seconds = new EnumMap<>(Lane.class);
    for (Lane lane : LANES) {
      Running current = running.get(lane);
      double since = current == null ? 0 : now - current.begin;
      seconds.put(lane, busy.getOrDefault(lane, 0.0) + since);
    }
    return seconds;
  }

  private void runUntil(BooleanSupplier reached) {
    begin();
    while (!reached.getAsBoolean()) {
      if (flows.isEmpty()) {
        throw new IllegalArgumentException(
            "no task can begin, each waits for another one: " + waiting);
      }
      toNextEvent();
      begin();
    }
  }

  /** Begins what can begin; what takes no time is done at once. */
  private void begin() {
    boolean progress = true;
    while (progress) {
      progress = false;
      for (Lane lane : LANES) {
        Deque<Waiting> queue = waiting.get(lane);
        while (!queue.isEmpty() && !running.containsKey(lane) && isReady(queue.peek().task())) {
          begin(queue.poll());
          progress = true;
        }
      }
    }
  }

  private boolean isReady(Task task) {
    for (long earlier : task.after()) {
      if (!done.get((int) earlier)) {
        return false;
      }
    }
    return true;
  }

  private void begin(Waiting next) {
    Cost cost =
        isRegrouped(next.task())
            ? costs.ofCopyIfNeeded(next.task(), next.pass())
            : costs.of(next.task(), next.pass());
    if (cost.seconds() > 0) {
      Flow flow = new Flow(cost);
      flows.add(flow);
      running.put(next.task().lane(), new Running(next.task(), flow, now));
    } else {
      done(next.task());
    }
  }

  /** Whether it copies experts of which is known whether they got tokens. */
  private boolean isRegrouped(Task task) {
    return task.work() instanceof Work.CopyWeights copy
        && copy.granule().kind() == UnitId.Kind.EXPERT
        && copy.granule().layer() == lastRegrouped
        && copy.pass() == passes - 1;
  }

  private void done(Task task) {
    done.set(Math.toIntExact(task.id()));
    if (task.work() instanceof Work.Regroup regroup) {
      lastRegrouped = regroup.layer();
    }
  }

  private void toNextEvent() {
    setSpeeds();
    double seconds = Double.POSITIVE_INFINITY;
    for (Flow flow : flows) {
      seconds = Math.min(seconds, flow.secondsLeft());
    }
    now += seconds;
    for (Flow flow : flows) {
      flow.advance(seconds);
    }
    for (Lane lane : LANES) {
      Running current = running.get(lane);
      if (current != null && current.flow.isDone()) {
        end(current);
      }
    }
  }

  private void setSpeeds() {
    double host = 0;
    double link = 0;
    double cores = 0;
    for (Flow flow : flows) {
      host += flow.hostDemand();
      link += flow.linkDemand();
      cores += flow.coreDemand();
    }
    for (Flow flow : flows) {
      flow.setSpeed(
          capacities.hostBytesPerSecond() / host,
          capacities.linkBytesPerSecond() / link,
          capacities.cores() / cores);
    }
  }

  private void end(Running ended) {
    Lane lane = ended.task.lane();
    running.remove(lane);
    flows.remove(ended.flow);
    done(ended.task);
    busy.merge(lane, now - ended.begin, Double::sum);
    played.add(new PlayedPass.Entry(ended.task, ended.begin, now));
  }
}
