package dev.offload.planner.simulate;

import dev.offload.planner.Lane;
import dev.offload.planner.LaneQueue;
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
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Plays schedules pass by pass as the overlapped executor does: the tasks of a queue in order, each
 * when its queue is free and all that it waits for is done. Queues share their lane's link: the
 * urgent one goes first, the others get equal parts of it. What runs at a time shares the machine.
 * Cores are shared as streams share workers: who wants more than its part gets its part. Where then
 * more is wanted of host memory or link than there is, all that draw on it slow down in proportion,
 * and the scarcest of what a task needs decides how fast it is. Between two events speeds are
 * constant, so time goes from event to event and nothing is approximated.
 *
 * <p>Tasks behind a pass's result go on during the next pass, as in the engine. Not thread-safe.
 */
public final class Simulator {

  private static final LaneQueue[] QUEUES = LaneQueue.values();

  /** A task of a queue that has not begun. */
  private record Waiting(Task task, PassShape pass) {}

  /** A task of a queue that goes on. */
  private record Running(Task task, Flow flow) {}

  private final TaskCosts costs;
  private final Capacities capacities;
  private final Map<LaneQueue, Deque<Waiting>> waiting = new EnumMap<>(LaneQueue.class);
  private final Map<LaneQueue, List<Running>> running = new EnumMap<>(LaneQueue.class);
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
    for (LaneQueue queue : QUEUES) {
      waiting.put(queue, new ArrayDeque<>());
      running.put(queue, new ArrayList<>());
    }
    for (Lane lane : Lane.values()) {
      busy.put(lane, 0.0);
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
      waiting.get(LaneQueue.of(task)).add(new Waiting(task, pass));
    }
    int result = Math.toIntExact(schedule.resultTask());
    runUntil(() -> done.get(result));
    List<PlayedPass.Entry> entries = played;
    running.values().stream()
        .flatMap(List::stream)
        .filter(each -> each.flow.works())
        .map(this::entry)
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
    return Map.copyOf(busy);
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
      for (LaneQueue each : QUEUES) {
        Deque<Waiting> queue = waiting.get(each);
        while (!queue.isEmpty()
            && running.get(each).size() < each.atATime()
            && isReady(queue.peek().task())) {
          begin(each, queue.poll());
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

  private void begin(LaneQueue queue, Waiting next) {
    Cost cost =
        isRegrouped(next.task())
            ? costs.ofCopyIfNeeded(next.task(), next.pass())
            : costs.of(next.task(), next.pass());
    if (cost.seconds() > 0) {
      Flow flow = new Flow(cost);
      flows.add(flow);
      running.get(queue).add(new Running(next.task(), flow));
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
    for (Lane lane : lanesThatWork()) {
      busy.merge(lane, seconds, Double::sum);
    }
    for (Flow flow : flows) {
      flow.advance(seconds);
    }
    for (LaneQueue queue : QUEUES) {
      for (Running current : List.copyOf(running.get(queue))) {
        if (current.flow.isDone()) {
          end(queue, current);
        }
      }
    }
  }

  private Set<Lane> lanesThatWork() {
    Set<Lane> lanes = EnumSet.noneOf(Lane.class);
    for (LaneQueue queue : QUEUES) {
      if (working(queue) > 0) {
        lanes.add(queue.lane());
      }
    }
    return lanes;
  }

  private int working(LaneQueue queue) {
    return (int) running.get(queue).stream().filter(each -> each.flow.works()).count();
  }

  private void setSpeeds() {
    shareLanes();
    double most = coresOfEach();
    double host = 0;
    double link = 0;
    for (Flow flow : flows) {
      flow.setCores(most);
      host += flow.hostBytesPerSecond();
      link += flow.linkBytesPerSecond();
    }
    for (Flow flow : flows) {
      flow.slowDown(capacities.hostBytesPerSecond() / host, capacities.linkBytesPerSecond() / link);
    }
  }

  /** Readers share the disk. Of copies rows go first; a lane's other queues share its link. */
  private void shareLanes() {
    Map<Lane, Integer> sharers = new EnumMap<>(Lane.class);
    Set<Lane> urgent = EnumSet.noneOf(Lane.class);
    for (LaneQueue queue : QUEUES) {
      int count = working(queue);
      sharers.merge(queue.lane(), count, Integer::sum);
      if (queue.isUrgent() && count > 0) {
        urgent.add(queue.lane());
      }
    }
    running.forEach(
        (queue, tasks) -> {
          for (Running each : tasks) {
            each.flow.setLaneShare(laneShare(queue, each.flow, sharers, urgent));
          }
        });
  }

  private double laneShare(
      LaneQueue queue, Flow flow, Map<Lane, Integer> sharers, Set<Lane> urgent) {
    if (!flow.works()) {
      return 1;
    }
    double equal = 1.0 / sharers.get(queue.lane());
    if (queue == LaneQueue.READS) {
      double share = Math.min(equal, capacities.loneReadShare());
      return coresAreBusy() ? share * capacities.busyReadShare() : share;
    }
    if (!flow.needsLink()) {
      return 1;
    }
    return urgent.contains(queue.lane()) ? (queue.isUrgent() ? 1 : 0) : equal;
  }

  /** Whether something else than reads wants all cores, which keeps readers waiting for one. */
  private boolean coresAreBusy() {
    return flows.stream().anyMatch(flow -> flow.wantsCores(capacities.cores()));
  }

  /**
   * How many cores each may have so that all are shared out: who wants less has what it wants, all
   * others have the same.
   */
  private double coresOfEach() {
    double[] demands = flows.stream().mapToDouble(Flow::coreDemand).sorted().toArray();
    double left = capacities.cores();
    for (int i = 0; i < demands.length; i++) {
      double each = left / (demands.length - i);
      if (demands[i] > each) {
        return each;
      }
      left -= demands[i];
    }
    return capacities.cores();
  }

  private void end(LaneQueue queue, Running ended) {
    running.get(queue).remove(ended);
    flows.remove(ended.flow);
    done(ended.task);
    played.add(entry(ended));
  }

  private PlayedPass.Entry entry(Running of) {
    return new PlayedPass.Entry(of.task, now - of.flow.workedSeconds(), now);
  }
}
