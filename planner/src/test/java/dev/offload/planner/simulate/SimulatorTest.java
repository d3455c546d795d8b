package dev.offload.planner.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.Granule;
import dev.offload.planner.Lane;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassTimeline;
import dev.offload.planner.PassTimeline.Span;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.planner.cost.Cost;
import dev.offload.planner.cost.TaskCosts;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Schedules small enough to be played by hand, and what holds for all. */
class SimulatorTest {
  private static final PassShape SHAPE =
      new PassShape(List.of(new PassShape.MicroBatch(3, 2, 2, 1, 10, 3, 0, 0)), 2, 0, 0);
  private static final Capacities PLENTY = new Capacities(1e18, 1e18, 1e9, 1, 1);

  private final List<Task> tasks = new ArrayList<>();
  private final List<Cost> costs = new ArrayList<>();

  @Test
  void shouldRunLanesSideBySideAndTasksOfALaneInOrder() {
    long copy = task(Lane.H2D, seconds(2));
    task(Lane.H2D, seconds(3));
    task(Lane.GPU, seconds(4));
    long result = task(Lane.GPU, seconds(1), copy);
    Simulator simulator = simulator(PLENTY);
    PlayedPass pass = simulator.play(new Schedule(tasks, result), SHAPE);
    assertEquals(5, pass.seconds(), 1e-12);
    assertEquals(Map.of(Lane.H2D, 5.0, Lane.GPU, 5.0), busy(simulator));
    assertEquals(
        List.of("H2D 0-2", "GPU 0-4", "H2D 2-5", "GPU 4-5"), spans(pass.timeline(1)).sorted());
  }

  @Test
  void shouldLetATaskWaitForThoseOfOtherLanes() {
    long read = task(Lane.DISK, seconds(3));
    long copy = task(Lane.H2D, seconds(1), read);
    long compute = task(Lane.GPU, seconds(2), copy);
    long result = task(Lane.D2H, seconds(1), compute);
    Simulator simulator = simulator(PLENTY);
    PlayedPass pass = simulator.play(new Schedule(tasks, result), SHAPE);
    assertEquals(7, pass.seconds(), 1e-12);
    assertEquals(
        List.of("DISK 0-3", "H2D 3-4", "GPU 4-6", "D2H 6-7"), spans(pass.timeline(1)).sorted());
  }

  @Test
  void shouldGiveEachItsPartOfTheCores() {
    // Together they want 3 cores for the first seconds, and there are 2: each gets 1.
    task(Lane.H2D, new Cost(2, 0, 0, 2));
    long result = task(Lane.GPU, new Cost(4, 0, 0, 8));
    PlayedPass pass =
        simulator(new Capacities(1e18, 1e18, 2, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    // The copy takes its 2 s, in which the other does 1 of its 4; then it is alone.
    assertEquals(List.of("GPU 0-5", "H2D 0-2"), spans(pass.timeline(1)).byName());
  }

  @Test
  void shouldGiveOthersWhatOneDoesNotWant() {
    // Half a core for the first; the others have 1.5 of the 2 that they want each.
    task(Lane.D2H, new Cost(3, 0, 0, 1.5));
    task(Lane.H2D, new Cost(3, 0, 0, 6));
    long result = task(Lane.GPU, new Cost(3, 0, 0, 6));
    PlayedPass pass =
        simulator(new Capacities(1e18, 1e18, 3.5, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    // After 3 s they have done 2.25 of 3; then there are 1.75 cores for each.
    assertEquals(3 + 0.75 * 2 / 1.75, pass.seconds(), 1e-9);
  }

  @Test
  void shouldShareMemoryAmongWhatTheCoresLeave() {
    // With half of its cores the second moves 20 and not 40, which with 10 is just what there is.
    task(Lane.H2D, new Cost(1, 10, 0, 1));
    long result = task(Lane.GPU, new Cost(1, 40, 0, 2));
    PlayedPass pass =
        simulator(new Capacities(30, 1e18, 2, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    assertEquals(1 + 0.5 / 0.75, pass.seconds(), 1e-9, "then 40 are wanted of 30");
  }

  @Test
  void shouldLetTheScarcestResourceDecide() {
    // Host memory: 10 + 30 of 20 wanted, half speed; the link alone would leave the copy 2/3.
    task(Lane.H2D, new Cost(1, 10, 15, 0));
    task(Lane.CPU, new Cost(1, 30, 0, 0));
    long result = task(Lane.GPU, new Cost(1, 0, 0, 1));
    task(Lane.D2H, new Cost(1, 0, 10, 0));
    PlayedPass pass =
        simulator(new Capacities(20, 50.0 / 3, 8, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    assertEquals(1, pass.seconds(), 1e-12, "shares nothing that is scarce");
    Simulator simulator = simulator(new Capacities(20, 50.0 / 3, 8, 1, 1));
    simulator.play(new Schedule(tasks, result), SHAPE);
    simulator.between(seconds(9));
    assertEquals(
        Map.of(Lane.H2D, 2.0, Lane.CPU, 2.0, Lane.GPU, 1.0, Lane.D2H, 1.5), busy(simulator));
  }

  @Test
  void shouldLetSmallCopiesGoFirstAndOthersShareTheirLink() {
    Granule weights = new Granule(0, List.of(UnitId.expert(1, 0)), Tier.HOST, 1, 1, false, false);
    add(Lane.H2D, new Work.CopyWeights(weights, -1, 0, 0), link(4), List.of());
    long cache = add(Lane.H2D, new Work.LoadKv(1, 0, 0), link(2), List.of());
    long attended = task(Lane.CPU, seconds(1));
    long upload = add(Lane.H2D, new Work.UploadAttended(1, 0), link(0.5), List.of(attended));
    long result = task(Lane.GPU, seconds(10), cache, upload);
    Simulator simulator = simulator(PLENTY);
    PlayedPass pass = simulator.play(new Schedule(tasks, result), SHAPE);
    // Both at half speed, but while rows are copied; weights are alone when the cache is there.
    assertEquals(
        List.of("CPU 0-1", "GPU 4.5-14.5", "H2D 0-4.5", "H2D 0-6.5", "H2D 1-1.5"),
        spans(pass.timeline(1)).byName());
    assertEquals(6.5, simulator.busySeconds().get(Lane.H2D), 1e-12);
  }

  @Test
  void shouldLetCopiesWithoutALinkShareOnlyCores() {
    Granule weights = new Granule(0, List.of(UnitId.expert(1, 0)), Tier.HOST, 1, 1, false, false);
    Work copy = new Work.CopyWeights(weights, -1, 0, 0);
    add(Lane.H2D, copy, new Cost(2, 0, 0, 2), List.of());
    long result = add(Lane.H2D, new Work.UploadAttended(1, 0), new Cost(1, 0, 0, 1), List.of());
    PlayedPass pass =
        simulator(new Capacities(1e18, 1e18, 2, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    assertEquals(List.of("H2D 0-1", "H2D 0-1"), spans(pass.timeline(1)).byName());
  }

  @Test
  void shouldReadSomeGranulesAtATime() {
    int readers = LaneQueue.READS.atATime();
    for (int i = 0; i < readers; i++) {
      task(Lane.DISK, seconds(2));
    }
    long result = task(Lane.DISK, seconds(1.2));
    Simulator simulator = simulator(new Capacities(1e18, 1e18, 2, 0.6, 1));
    PlayedPass pass = simulator.play(new Schedule(tasks, result), SHAPE);
    // All share the disk; one alone gets 0.6 of it.
    List<String> expected = new ArrayList<>(Collections.nCopies(readers, "DISK 0-" + 2 * readers));
    expected.add("DISK %d-%d".formatted(2 * readers, 2 * readers + 2));
    assertEquals(expected, spans(pass.timeline(1)).sorted());
    assertEquals(2 * readers + 2, simulator.busySeconds().get(Lane.DISK), 1e-12);
  }

  @Test
  void shouldKeepReadersWaitingForCoresThatAreBusy() {
    task(Lane.DISK, seconds(4));
    long result = task(Lane.GPU, new Cost(2, 0, 0, 4));
    task(Lane.H2D, new Cost(1, 0, 0, 1));
    Simulator simulator = simulator(new Capacities(1e18, 1e18, 2, 1, 0.5));
    simulator.play(new Schedule(tasks, result), SHAPE);
    simulator.between(seconds(10));
    // The copy takes a core for 1 s, so that the product is done after 2.5 s; until then reads go
    // at half their speed, and after that as fast as they can.
    assertEquals(2.5 + 4 - 1.25, simulator.busySeconds().get(Lane.DISK), 1e-9);
  }

  @Test
  void shouldNotCallALaneBusyThatWaitsForAThread() {
    long result = task(Lane.CPU, new Cost(4, 0, 0, 0, 1));
    Simulator simulator = simulator(PLENTY);
    assertEquals(4, simulator.play(new Schedule(tasks, result), SHAPE).seconds(), 1e-12);
    assertEquals(3, simulator.busySeconds().get(Lane.CPU), 1e-12);
  }

  @Test
  void shouldTakeNothingOfOthersUntilAThreadHasWokenUp() {
    // One second to wake, then 2 s on both cores, of which the copy has one until it is done.
    long result = task(Lane.CPU, new Cost(3, 30, 0, 4, 1));
    task(Lane.H2D, new Cost(2, 30, 0, 4));
    PlayedPass pass =
        simulator(new Capacities(15, 1e18, 2, 1, 1)).play(new Schedule(tasks, result), SHAPE);
    // The copy is half done when they begin to share, so it takes two seconds more.
    assertEquals(List.of("CPU 1-4", "H2D 0-3"), spans(pass.timeline(1)).byName());
  }

  @Test
  void shouldGoOnWithTasksBehindTheResultInTheNextPass() {
    long first = task(Lane.GPU, seconds(1));
    task(Lane.H2D, seconds(5));
    long prefetched = task(Lane.H2D, seconds(1));
    Simulator simulator = simulator(PLENTY);
    PlayedPass one = simulator.play(new Schedule(tasks.subList(0, 3), first), SHAPE);
    assertEquals(1, one.seconds(), 1e-12);
    simulator.between(seconds(0.5));
    long second = task(Lane.GPU, seconds(2), prefetched);
    PlayedPass two = simulator.play(new Schedule(tasks.subList(3, 4), second), SHAPE);
    assertEquals(1.5, two.beginSeconds(), 1e-12);
    assertEquals(8, two.endSeconds(), 1e-12, "copies end at 6, and 2 more to compute");
    PassTimeline timeline = two.timeline(2);
    assertEquals(List.of("GPU 4.5-6.5", "H2D 0-3.5", "H2D 3.5-4.5"), spans(timeline).byName());
    assertEquals(2, timeline.pass());
    assertEquals(2, timeline.sequences());
    assertEquals(3, timeline.tokens());
    assertEquals(2, timeline.promptTokens());
    assertEquals(6_500_000_000L, timeline.nanos());
  }

  @Test
  void shouldCopyOnlyExpertsThatGotTokensOnceThatIsKnown() {
    Granule experts = new Granule(0, List.of(UnitId.expert(2, 0)), Tier.HOST, 1, 1, false, false);
    long before = copy(experts, 0);
    long regroup = task(Lane.CPU, seconds(2), before);
    long after = copy(experts, 0, regroup);
    long ofNextPass = copy(experts, 1, after);
    Simulator simulator =
        new Simulator(
            PLENTY,
            new TaskCosts() {
              @Override
              public Cost of(Task task, PassShape pass) {
                return costs.get((int) task.id());
              }

              @Override
              public Cost ofCopyIfNeeded(Task task, PassShape pass) {
                return of(task, pass).times(0.25);
              }
            });
    PlayedPass pass = simulator.play(new Schedule(tasks, ofNextPass), SHAPE);
    assertEquals(
        List.of("H2D 0-1", "CPU 1-3", "H2D 3-3.25", "H2D 3.25-4.25"),
        spans(pass.timeline(1)).sorted());
  }

  private long copy(Granule granule, long pass, Long... after) {
    long id = tasks.size();
    Work work = new Work.CopyWeights(granule, 0, 0, pass);
    tasks.add(new Task(id, Lane.H2D, work, List.of(after), 0, 0));
    costs.add(seconds(1));
    return id;
  }

  @Test
  void shouldCountWorkBetweenPassesAgainstTheCores() {
    long first = task(Lane.GPU, seconds(1));
    task(Lane.H2D, new Cost(3, 0, 0, 3));
    Simulator simulator = simulator(new Capacities(1e18, 1e18, 1, 1, 1));
    simulator.play(new Schedule(tasks, first), SHAPE);
    simulator.between(new Cost(1, 0, 0, 1));
    assertEquals(3, simulator.now(), 1e-12, "one core for two");
    assertEquals(3, simulator.busySeconds().get(Lane.H2D), 1e-12);
  }

  @Test
  void shouldRefuseASchedulePlayedWithoutTheOneBefore() {
    long first = task(Lane.GPU, seconds(1));
    long second = task(Lane.GPU, seconds(1), first);
    Simulator simulator = simulator(PLENTY);
    Schedule rest = new Schedule(tasks.subList(1, 2), second);
    assertThrows(IllegalArgumentException.class, () -> simulator.play(rest, SHAPE));
  }

  @Test
  void shouldBeWithinItsBoundsAndNeverSlowerOnAFasterMachine() {
    Random random = new Random(4);
    int shared = 0;
    for (int round = 0; round < 300; round++) {
      tasks.clear();
      costs.clear();
      long last = -1;
      for (int i = 0; i < 60; i++) {
        List<Long> after = new ArrayList<>();
        for (int a = 0; a < 2 && i > 0; a++) {
          after.add((long) random.nextInt(i));
        }
        last = tasks.size();
        double seconds = random.nextInt(5) == 0 ? 0 : random.nextDouble();
        Cost cost = new Cost(1, random.nextInt(9), random.nextInt(9), random.nextInt(4));
        add(List.of(Lane.values()).get(random.nextInt(5)), cost.times(seconds), after);
      }
      // The result waits for all.
      List<Long> all = new ArrayList<>();
      for (long i = 0; i <= last; i++) {
        all.add(i);
      }
      long result = add(Lane.D2H, seconds(0.1), all);
      Schedule schedule = new Schedule(tasks, result);
      // Nothing is slower alone than it says.
      Simulator narrow = simulator(new Capacities(9, 9, 4, 1, 1));
      Simulator wide = simulator(new Capacities(18, 18, 8, 1, 1));
      Simulator widest = simulator(PLENTY);
      double slow = narrow.play(schedule, SHAPE).seconds();
      double fast = wide.play(schedule, SHAPE).seconds();
      double fastest = widest.play(schedule, SHAPE).seconds();
      double longestLane =
          Arrays.stream(Lane.values())
              .mapToDouble(lane -> sum(task -> task.lane() == lane))
              .max()
              .orElseThrow();
      assertTrue(fastest >= longestLane - 1e-9, "round " + round);
      double hostBytes = costs.stream().mapToDouble(Cost::hostBytes).sum();
      assertTrue(slow >= hostBytes / 9 - 1e-9, "round " + round);
      assertTrue(slow <= sum(_ -> true) + 1e-9, "round " + round + ": " + slow);
      assertTrue(fastest <= fast + 1e-9 && fast <= slow + 1e-9, fastest + " " + fast + " " + slow);
      shared += slow > fastest + 1e-6 ? 1 : 0;
    }
    assertTrue(shared > 100, "lanes slowed each other in " + shared + " of 300 rounds");
  }

  @Test
  void shouldPlayAPassOfManyTasks() {
    long last = -1;
    for (int i = 0; i < 60_000; i++) {
      List<Long> after = last < 0 ? List.of() : List.of(last);
      last = add(List.of(Lane.values()).get(i % 5), new Cost(1e-4, 1e5, 1e5, 1e-4), after);
    }
    Schedule schedule = new Schedule(tasks, last);
    PlayedPass pass = simulator(PLENTY).play(schedule, SHAPE);
    assertEquals(6, pass.seconds(), 1e-6);
  }

  private double sum(java.util.function.Predicate<Task> which) {
    return tasks.stream()
        .filter(which)
        .mapToDouble(task -> costs.get((int) task.id()).seconds())
        .sum();
  }

  private Simulator simulator(Capacities capacities) {
    return new Simulator(capacities, (task, pass) -> costs.get((int) task.id()));
  }

  private static Cost link(double seconds) {
    return new Cost(seconds, 0, seconds, 0);
  }

  private static Cost seconds(double seconds) {
    return new Cost(seconds, 0, 0, 0);
  }

  private long task(Lane lane, Cost cost, Long... after) {
    return add(lane, cost, List.of(after));
  }

  private long add(Lane lane, Cost cost, List<Long> after) {
    return add(lane, new Work.Regroup(2), cost, after);
  }

  private long add(Lane lane, Work work, Cost cost, List<Long> after) {
    long id = tasks.size();
    tasks.add(new Task(id, lane, work, after, 0, 0));
    costs.add(cost);
    return id;
  }

  private static Map<Lane, Double> busy(Simulator simulator) {
    Map<Lane, Double> busy = new java.util.EnumMap<>(Lane.class);
    simulator
        .busySeconds()
        .forEach(
            (lane, seconds) -> {
              if (seconds > 0) {
                busy.put(lane, Math.round(seconds * 1e9) / 1e9);
              }
            });
    return busy;
  }

  private static Texts spans(PassTimeline timeline) {
    return new Texts(timeline.spans());
  }

  private record Texts(List<Span> spans) {
    /** In the order of their beginnings. */
    List<String> sorted() {
      return spans.stream().map(Texts::text).toList();
    }

    List<String> byName() {
      return spans.stream().map(Texts::text).sorted().toList();
    }

    private static String text(Span span) {
      return "%s %s-%s".formatted(span.lane(), number(span.beginNanos()), number(span.endNanos()));
    }

    private static String number(long nanos) {
      double seconds = nanos / 1e9;
      return seconds == Math.rint(seconds) ? (long) seconds + "" : seconds + "";
    }
  }
}
