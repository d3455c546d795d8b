package dev.offload.planner.search;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ojalgo.optimisation.Expression;
import org.ojalgo.optimisation.ExpressionsBasedModel;
import org.ojalgo.optimisation.Optimisation;
import org.ojalgo.optimisation.Variable;

/**
 * The linear program of one design: which shares make the pass shortest. Variables are the shares
 * of {@link Shares} and the time of the pass, which is at least each {@link Row}'s; constraints are
 * the memories. The form is FlexGen's (Sheng et al., 2023, section 4.3), with classes of units in
 * place of one kind of weights, and with what lanes share.
 */
final class PlacementProgram {
  private static final double TIE = 1e-7;

  /** The memories that a program may run out of. */
  enum Memory {
    DEVICE,
    HOST,
    DISK
  }

  /**
   * The best shares.
   *
   * @param seconds of the pass, without what is between passes
   * @param weights how much a second more in a row lengthens the pass; they add up to one
   * @param prices seconds that one more byte of a memory saves
   */
  record Solution(
      Shares shares, double seconds, Map<Row, Double> weights, Map<Memory, Double> prices) {}

  private record Away(Variable host, Variable disk) {}

  private final PlannedModel model;
  private final Design design;
  private final PassLoads loads;
  private final double unitSeconds;
  private final double unitBytes;
  private final ExpressionsBasedModel program = new ExpressionsBasedModel();
  private final Variable time = program.newVariable("time").lower(0).weight(1);

  /**
   * Next to nothing, in each row and memory: the solver would otherwise make bounds of those with
   * one variable and tell no dual of them.
   */
  private final Variable nothing = program.newVariable("nothing").lower(0).upper(1e-9);

  private final List<Away> classes = new ArrayList<>();
  private final Variable hostExperts = program.newVariable("experts on host");
  private Variable streamed;
  private Variable attended;
  private final Map<Row, Expression> rows = new EnumMap<>(Row.class);
  private final Map<Memory, Expression> memories = new EnumMap<>(Memory.class);

  private PlacementProgram(PlannedModel model, Design design, PassLoads loads) {
    this.model = model;
    this.design = design;
    this.loads = loads;
    this.unitSeconds = Math.max(1e-9, loads.resident().most());
    this.unitBytes = Math.max(1, model.weightBytes());
    double experts = Math.max(1, model.expertsPerLayer());
    hostExperts.lower(design.leastHostExperts() / experts);
    hostExperts.upper(design.mostHostExperts() / experts);
  }

  /** What memories leave, by where the cache lives; in between on a straight line. */
  record CacheRooms(Rooms device, Optional<Rooms> streamed, Optional<Rooms> attended) {}

  /** The best shares with the cache split as given. */
  static Optional<Solution> solve(
      PlannedModel model, Design design, PassLoads loads, KvSplit split, Rooms rooms) {
    boolean allOnDevice =
        rooms.resident() >= model.weightBytes() && rooms.host() >= 0 && rooms.disk() >= 0;
    if (allOnDevice && !design.hasHostExperts()) {
      return Optional.of(allOnDevice(model, loads, split));
    }
    PlacementProgram program = new PlacementProgram(model, design, loads);
    program.streamed = program.program.newVariable("cache streamed");
    program.streamed.level(split.streamedShare());
    program.attended = program.program.newVariable("cache attended");
    program.attended.level(split.attendedShare());
    return program.solve(new CacheRooms(rooms, Optional.empty(), Optional.empty()));
  }

  /**
   * Where there is room for all weights on the device nothing has to be solved: a unit that leaves
   * it makes no row shorter.
   */
  private static Solution allOnDevice(PlannedModel model, PassLoads loads, KvSplit split) {
    Shares shares =
        new Shares(
            Collections.nCopies(model.classes().size(), Shares.Away.NOTHING),
            0,
            split.streamedShare(),
            split.attendedShare());
    Loads sum = shares.loads(loads);
    Map<Row, Double> weights = new EnumMap<>(Row.class);
    for (Row row : Row.values()) {
      weights.put(row, row == sum.longest() ? 1.0 : 0.0);
    }
    Map<Memory, Double> prices = new EnumMap<>(Memory.class);
    for (Memory memory : Memory.values()) {
      prices.put(memory, 0.0);
    }
    return new Solution(shares, sum.most(), weights, prices);
  }

  /** The best shares, of the cache too. */
  static Optional<Solution> solve(
      PlannedModel model, Design design, PassLoads loads, CacheRooms rooms) {
    PlacementProgram program = new PlacementProgram(model, design, loads);
    program.streamed = program.share("cache streamed", rooms.streamed().isPresent());
    program.attended = program.share("cache attended", rooms.attended().isPresent());
    program
        .program
        .newExpression("cache")
        .upper(1)
        .set(program.streamed, 1)
        .set(program.attended, 1);
    return program.solve(rooms);
  }

  private Optional<Solution> solve(CacheRooms rooms) {
    for (int i = 0; i < model.classes().size(); i++) {
      place(i, model.classes().get(i));
    }
    preferNear();
    for (Row row : Row.values()) {
      lasts(row);
    }
    fit(rooms);
    Optimisation.Result result = program.minimise();
    if (!result.getState().isFeasible()) {
      return Optional.empty();
    }
    return Optional.of(
        new Solution(shares(), value(time) * unitSeconds, weights(result), prices(result)));
  }

  private void place(int index, UnitClass each) {
    boolean moves = design.moves(each);
    Away away =
        new Away(share(index + " host", moves), share(index + " disk", moves && design.disk()));
    classes.add(away);
    Expression whole = program.newExpression(index + " away").upper(1);
    whole.set(away.host(), 1).set(away.disk(), 1);
    if (each.experts() > 0) {
      whole.set(hostExperts, 1);
    }
  }

  /** Of equally short passes the one that moves least. */
  private void preferNear() {
    for (int i = 0; i < classes.size(); i++) {
      PassLoads.Changes changes = loads.classes().get(i);
      classes.get(i).host().weight(TIE * changes.toHost().of(Row.H2D) / unitSeconds);
      classes.get(i).disk().weight(2 * TIE * changes.toDisk().of(Row.DISK) / unitSeconds);
    }
  }

  private Variable share(String name, boolean isFree) {
    return program.newVariable(name).lower(0).upper(isFree ? 1 : 0);
  }

  /** The pass lasts at least as long as the row. */
  private void lasts(Row row) {
    Expression slack = program.newExpression(row.name());
    slack.set(time, 1).set(nothing, 1).lower(loads.resident().of(row) / unitSeconds);
    for (int i = 0; i < classes.size(); i++) {
      PassLoads.Changes changes = loads.classes().get(i);
      slack.set(classes.get(i).host(), -changes.toHost().of(row) / unitSeconds);
      slack.set(classes.get(i).disk(), -changes.toDisk().of(row) / unitSeconds);
    }
    slack.set(hostExperts, -loads.hostExperts().of(row) / unitSeconds);
    slack.set(streamed, -loads.streamedCache().of(row) / unitSeconds);
    slack.set(attended, -loads.attendedCache().of(row) / unitSeconds);
    rows.put(row, slack);
  }

  private void fit(CacheRooms rooms) {
    Expression away = program.newExpression("device");
    away.lower((model.weightBytes() - rooms.device().resident()) / unitBytes);
    Expression host = program.newExpression("host").upper(rooms.device().host() / unitBytes);
    Expression disk = program.newExpression("disk").upper(rooms.device().disk() / unitBytes);
    away.set(nothing, 1);
    host.set(nothing, -1);
    disk.set(nothing, -1);
    for (int i = 0; i < classes.size(); i++) {
      double bytes = model.classes().get(i).totalBytes() / unitBytes;
      away.set(classes.get(i).host(), bytes);
      away.set(classes.get(i).disk(), bytes);
      host.set(classes.get(i).host(), bytes);
      disk.set(classes.get(i).disk(), bytes);
    }
    away.set(hostExperts, model.expertBytes() / unitBytes);
    host.set(hostExperts, model.hostExpertBytes() / unitBytes);
    rooms.streamed().ifPresent(other -> shift(away, host, rooms.device(), other, streamed));
    rooms.attended().ifPresent(other -> shift(away, host, rooms.device(), other, attended));
    memories.put(Memory.DEVICE, away);
    memories.put(Memory.HOST, host);
    memories.put(Memory.DISK, disk);
  }

  private void shift(Expression away, Expression host, Rooms from, Rooms to, Variable share) {
    away.set(share, (to.resident() - from.resident()) / unitBytes);
    host.set(share, (from.host() - to.host()) / unitBytes);
  }

  private Map<Row, Double> weights(Optimisation.Result result) {
    Map<Row, Double> weights = new EnumMap<>(Row.class);
    rows.forEach((row, expression) -> weights.put(row, dual(result, expression)));
    return weights;
  }

  private Map<Memory, Double> prices(Optimisation.Result result) {
    Map<Memory, Double> prices = new EnumMap<>(Memory.class);
    memories.forEach(
        (memory, expression) ->
            prices.put(memory, dual(result, expression) * unitSeconds / unitBytes));
    return prices;
  }

  /** What the solver dropped beforehand binds nothing. */
  private static double dual(Optimisation.Result result, Expression expression) {
    return result.getDualValues().stream()
        .filter(entry -> entry.getKey().first().getName().equals(expression.getName()))
        .mapToDouble(entry -> Math.abs(entry.doubleValue()))
        .sum();
  }

  private Shares shares() {
    List<Shares.Away> found = new ArrayList<>();
    for (Away away : classes) {
      found.add(new Shares.Away(value(away.host()), value(away.disk())));
    }
    return new Shares(found, value(hostExperts), value(streamed), value(attended));
  }

  private static double value(Variable variable) {
    return Math.max(0, variable.getValue().doubleValue());
  }
}
