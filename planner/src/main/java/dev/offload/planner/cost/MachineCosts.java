package dev.offload.planner.cost;

import dev.offload.planner.Granule;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.planner.Schedule;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The costs of an engine's tasks on a machine. Not thread-safe. */
public final class MachineCosts implements TaskCosts {
  private static final double F32 = DType.F32.bytes();

  private final ModuleCosts machine;
  private final ModelConfig model;
  private final double kvTokenBytes;
  private final Optional<RoutingStatistics> routing;
  private final Map<UnitId, WeightUnit> units = new HashMap<>();
  private final Map<WeightUnit, List<MatrixShape>> matrices = new HashMap<>();

  /** Costs where all experts are chosen as often. */
  public MachineCosts(
      ModuleCosts machine, ModelConfig model, List<WeightUnit> units, double kvTokenBytes) {
    this(machine, model, units, kvTokenBytes, Optional.empty());
  }

  /**
   * Costs.
   *
   * @param units of the model, as they are placed
   * @param kvTokenBytes cache of one token in one layer
   * @param routing how often experts are chosen; absent: all as often
   */
  public MachineCosts(
      ModuleCosts machine,
      ModelConfig model,
      List<WeightUnit> units,
      double kvTokenBytes,
      Optional<RoutingStatistics> routing) {
    this.machine = machine;
    this.model = model;
    this.kvTokenBytes = kvTokenBytes;
    this.routing = routing;
    for (WeightUnit unit : units) {
      this.units.put(unit.id(), unit);
      matrices.put(unit, MatrixShape.of(unit));
    }
  }

  @Override
  public Cost of(Task task, PassShape pass) {
    double bytes = task.bytes();
    return switch (task.work()) {
      case Work.UploadBatch _ -> machine.toDevice(bytes, 1);
      case Work.Embed of -> machine.onDevice(embed(of, bytes, tokens(pass, of.microBatch())));
      case Work.ReadWeights _ -> machine.read(bytes);
      case Work.CopyWeights _ -> machine.toDevice(bytes, 1);
      case Work.ExpandWeights _ -> machine.onDevice(machine.device().packing(bytes));
      case Work.LoadKv _ -> machine.toDevice(bytes, 1);
      case Work.StoreKv of ->
          machine.toHost(bytes, pass.microBatches().get(of.microBatch()).sequences());
      case Work.Attention of -> {
        MicroBatch batch = pass.microBatches().get(of.microBatch());
        yield machine.onDevice(
            project(of.layer(), of.weights(), rows(pass, of.microBatch(), of.weights()))
                .plus(machine.device().attend(attention(of.layer()), load(batch)))
                .plus(
                    attentionOutput(
                        of.layer(), of.weights(), rows(pass, of.microBatch(), of.weights()))));
      }
      case Work.Project of ->
          machine.onDevice(
              project(of.layer(), of.weights(), rows(pass, of.microBatch(), of.weights())));
      case Work.DownloadQueries _ -> machine.toHost(bytes, 1);
      case Work.AttendOnHost of -> {
        MicroBatch batch = pass.microBatches().get(of.microBatch());
        yield machine.waitedFor(machine.host().attend(attention(of.layer()), load(batch)));
      }
      case Work.UploadAttended _ -> machine.waiting(machine.toDevice(bytes, 1));
      case Work.ProjectOutput of ->
          machine.onDevice(
              attentionOutput(of.layer(), of.weights(), rows(pass, of.microBatch(), of.weights())));
      case Work.FeedForward of ->
          machine.onDevice(
              norms(of.layer(), tokens(pass, of.microBatch()))
                  .plus(products(of.weights(), rows(pass, of.microBatch(), of.weights()))));
      case Work.Route of ->
          machine.onDevice(
              norms(of.layer(), pass.tokens())
                  .plus(products(of.weights(), rows(pass.tokens(), of.weights()))));
      case Work.SharedExpert of ->
          machine.onDevice(products(of.weights(), rows(pass.tokens(), of.weights())));
      case Work.DownloadRouting _ -> machine.toHost(bytes, 1);
      case Work.Regroup _ -> machine.waiting(machine.onOneCore(bytes));
      case Work.UploadRegrouping _ -> machine.waiting(machine.toDevice(bytes, 2));
      case Work.Collect _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.Experts of ->
          machine.onDevice(experts(machine.device(), of.weights().granule(), pass));
      case Work.DownloadRows _ -> machine.toHost(bytes, 1);
      case Work.ExpertsOnHost of -> machine.waitedFor(experts(machine.host(), of.experts(), pass));
      case Work.UploadRows _ -> machine.waiting(machine.toDevice(bytes, 1));
      case Work.Combine _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.Head of -> machine.onDevice(head(of, bytes, pass.logitsRows()));
      case Work.Output of -> machine.onDevice(output(of, pass.logitsRows()));
      case Work.BestLogits _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.DownloadLogits _ -> machine.toHost(bytes, 1);
    };
  }

  @Override
  public Cost ofCopyIfNeeded(Task task, PassShape pass) {
    Granule granule = ((Work.CopyWeights) task.work()).granule();
    return of(task, pass).times(rows(granule, pass).used(granule.units().size()));
  }

  private ExpertRows rows(Granule granule, PassShape pass) {
    MixtureOfExperts mixture = mixture(granule.layer());
    ExpertShares shares =
        routing
            .map(counted -> counted.shares(granule.units()))
            .orElseGet(() -> ExpertShares.equal(mixture.expertsPerToken(), mixture.experts()));
    return new ExpertRows(pass.tokens(), shares);
  }

  private Compute embed(Work.Embed work, double bytes, int tokens) {
    Compute looked = machine.device().movement(bytes);
    return work.weights()
        .map(each -> looked.plus(products(each, rows(tokens, each))))
        .orElse(looked);
  }

  private Compute head(Work.Head work, double bytes, int rows) {
    Compute norm = machine.device().movement(bytes);
    Optional<Compute> product = work.weights().map(each -> products(each, rows(rows, each)));
    return product.map(norm::plus).orElse(norm);
  }

  private Compute output(Work.Output work, int rows) {
    Compute sum = Compute.NONE;
    double kept = kept(work.weights().granule());
    for (UnitId id : work.weights().granule().units()) {
      for (MatrixShape shape : matrices.get(units.get(id))) {
        sum = sum.plus(machine.device().product(shape, rows, kept));
      }
    }
    return sum;
  }

  private Compute experts(ModuleTimes processor, Granule granule, PassShape pass) {
    List<MatrixShape> expert = matrices.get(units.get(granule.units().getFirst()));
    return processor.experts(expert, granule.units().size(), rows(granule, pass), 1, kept(granule));
  }

  /** One product after the other, and an operation on the rows between each two. */
  private Compute products(Work.Located located, Rows rows) {
    Compute sum = Compute.NONE;
    MatrixShape before = null;
    for (MatrixShape shape : matrices.get(unit(located))) {
      if (before != null) {
        double bytes = F32 * rows.count() * ((double) before.outputs() + shape.inputs());
        sum = sum.plus(machine.device().movement(bytes));
      }
      sum = sum.plus(product(shape, rows));
      before = shape;
    }
    return sum;
  }

  private Compute product(MatrixShape shape, Rows rows) {
    return machine.device().product(shape, rows.count(), rows.kept());
  }

  /** Queries, keys and values, and what is done to their rows before they are attended. */
  private Compute project(int layer, Work.Located weights, Rows rows) {
    Attention of = model.layers().get(layer).attention();
    long rotated = (long) of.headDim() * (of.heads() + of.keyValueHeads());
    int operations = of.queryKeyNorm() == QueryKeyNorm.NONE ? 0 : 1;
    operations += of.rope().dimensions() > 0 ? 1 : 0;
    Compute sum = norms(layer, rows.count()).plus(product(weights, Role.QKV, rows));
    return sum.plus(
        machine.device().movement(2.0 * F32 * rows.count() * rotated).times(operations));
  }

  private Compute attentionOutput(int layer, Work.Located weights, Rows rows) {
    Compute product = product(weights, Role.ATTENTION_OUTPUT, rows);
    return model.layers().get(layer).norms() == NormPlacement.BEFORE
        ? product
        : product.plus(norms(layer, rows.count()));
  }

  /** A norm in front of a module, and one behind it and an addition where the layer has that. */
  private Compute norms(int layer, int rows) {
    double bytes = 2.0 * F32 * rows * model.hiddenSize();
    int operations = model.layers().get(layer).norms() == NormPlacement.BOTH ? 2 : 1;
    return machine.device().movement(bytes).times(operations);
  }

  private Compute product(Work.Located located, Role role, Rows rows) {
    Compute sum = Compute.NONE;
    for (MatrixShape shape : MatrixShape.of(unit(located), role::equals)) {
      sum = sum.plus(product(shape, rows));
    }
    return sum;
  }

  private WeightUnit unit(Work.Located located) {
    return units.get(located.granule().units().getFirst());
  }

  private AttentionShape attention(int layer) {
    return AttentionShape.of(model.layers().get(layer).attention(), kvTokenBytes);
  }

  private static AttentionLoad load(MicroBatch batch) {
    int promptRows = batch.tokens() - batch.decoding();
    return new AttentionLoad(
        batch.decoding(),
        (double) batch.decodeKeys() / Math.max(1, batch.decoding()),
        promptRows,
        (double) batch.promptPairs() / Math.max(1, promptRows));
  }

  private MixtureOfExperts mixture(int layer) {
    Layer of = model.layers().get(layer);
    if (of.feedForward() instanceof MixtureOfExperts mixture) {
      return mixture;
    }
    throw new IllegalArgumentException("layer " + layer + " has no experts");
  }

  /**
   * Rows that are multiplied.
   *
   * @param kept how much of the weights caches have
   */
  private record Rows(int count, double kept) {}

  /** Those of a micro-batch: behind another one caches have as much of the weights as they can. */
  private Rows rows(PassShape pass, int microBatch, Work.Located weights) {
    boolean again =
        pass.microBatches().subList(0, microBatch).stream().anyMatch(each -> each.tokens() > 0);
    return new Rows(tokens(pass, microBatch), again ? 1 : kept(weights.granule()));
  }

  private Rows rows(int count, Work.Located weights) {
    return new Rows(count, kept(weights.granule()));
  }

  /** Weights at home on the device were used a pass ago. */
  private double kept(Granule granule) {
    return granule.isStreamed() ? machine.kept((double) granule.imageBytes()) : 0;
  }

  private static int tokens(PassShape pass, int microBatch) {
    return pass.microBatches().get(microBatch).tokens();
  }

  /** What the engine's own thread does before a pass: looks up what goes up to the device. */
  public Cost prepare(Schedule schedule) {
    double bytes = 0;
    for (Task task : schedule.tasks()) {
      bytes += task.work() instanceof Work.UploadBatch ? task.bytes() : 0;
    }
    return machine.prepare(bytes);
  }

  /** All that it does between two passes, where it is known how long that takes. */
  public Cost between(double seconds) {
    return machine.between(seconds);
  }

  /** What it does after one: looks at every logit that it got whole rows of. */
  public Cost choose(PassShape pass) {
    return machine.choose((double) pass.wholeRows() * model.vocabularySize());
  }
}
