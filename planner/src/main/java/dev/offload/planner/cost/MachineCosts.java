package dev.offload.planner.cost;

import dev.offload.planner.Granule;
import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The costs of an engine's tasks on a machine. Not thread-safe. */
public final class MachineCosts implements TaskCosts {
  private final ModuleCosts machine;
  private final ModelConfig model;
  private final double kvTokenBytes;
  private final Map<UnitId, WeightUnit> units = new HashMap<>();
  private final Map<WeightUnit, List<MatrixShape>> matrices = new HashMap<>();

  /**
   * @param units of the model, as they are placed
   * @param kvTokenBytes cache of one token in one layer
   */
  public MachineCosts(
      ModuleCosts machine, ModelConfig model, List<WeightUnit> units, double kvTokenBytes) {
    this.machine = machine;
    this.model = model;
    this.kvTokenBytes = kvTokenBytes;
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
      case Work.ExpandWeights _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.LoadKv _ -> machine.toDevice(bytes, 1);
      case Work.StoreKv of ->
          machine.toHost(bytes, pass.microBatches().get(of.microBatch()).sequences());
      case Work.Attention of -> {
        MicroBatch batch = pass.microBatches().get(of.microBatch());
        yield machine.onDevice(
            product(of.weights(), Role.QKV, batch.tokens())
                .plus(machine.device().attend(attention(of.layer()), load(batch)))
                .plus(product(of.weights(), Role.ATTENTION_OUTPUT, batch.tokens())));
      }
      case Work.Project of ->
          machine.onDevice(product(of.weights(), Role.QKV, tokens(pass, of.microBatch())));
      case Work.DownloadQueries _ -> machine.toHost(bytes, 1);
      case Work.AttendOnHost of -> {
        MicroBatch batch = pass.microBatches().get(of.microBatch());
        yield machine.onHost(machine.host().attend(attention(of.layer()), load(batch)));
      }
      case Work.UploadAttended _ -> machine.toDevice(bytes, 1);
      case Work.ProjectOutput of ->
          machine.onDevice(
              product(of.weights(), Role.ATTENTION_OUTPUT, tokens(pass, of.microBatch())));
      case Work.FeedForward of ->
          machine.onDevice(products(of.weights(), tokens(pass, of.microBatch())));
      case Work.Route of -> machine.onDevice(products(of.weights(), pass.tokens()));
      case Work.SharedExpert of -> machine.onDevice(products(of.weights(), pass.tokens()));
      case Work.DownloadRouting _ -> machine.toHost(bytes, 1);
      case Work.Regroup _ -> machine.onOneCore(machine.host().movement(bytes));
      case Work.UploadRegrouping _ -> machine.toDevice(bytes, 2);
      case Work.Collect _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.Experts of ->
          machine.onDevice(experts(machine.device(), of.weights().granule(), pass));
      case Work.DownloadRows _ -> machine.toHost(bytes, 1);
      case Work.ExpertsOnHost of -> machine.onHost(experts(machine.host(), of.experts(), pass));
      case Work.UploadRows _ -> machine.toDevice(bytes, 1);
      case Work.Combine _ -> machine.onDevice(machine.device().movement(bytes));
      case Work.Head of -> machine.onDevice(head(of, bytes, pass.logitsRows()));
      case Work.Output of -> machine.onDevice(output(of, pass.logitsRows()));
      case Work.DownloadLogits _ -> machine.toHost(bytes, 1);
    };
  }

  private Compute embed(Work.Embed work, double bytes, int tokens) {
    Compute looked = machine.device().movement(bytes);
    return work.weights().map(each -> looked.plus(products(each, tokens))).orElse(looked);
  }

  private Compute head(Work.Head work, double bytes, int rows) {
    Compute norm = machine.device().movement(bytes);
    Optional<Compute> product = work.weights().map(each -> products(each, rows));
    return product.map(norm::plus).orElse(norm);
  }

  private Compute output(Work.Output work, int rows) {
    Compute sum = Compute.NONE;
    for (UnitId id : work.weights().granule().units()) {
      for (MatrixShape shape : matrices.get(units.get(id))) {
        sum = sum.plus(machine.device().product(shape, rows));
      }
    }
    return sum;
  }

  private Compute experts(ModuleTimes processor, Granule granule, PassShape pass) {
    MixtureOfExperts mixture = mixture(granule.layer());
    ExpertRows rows = new ExpertRows(pass.tokens(), mixture.expertsPerToken(), mixture.experts());
    List<MatrixShape> expert = matrices.get(units.get(granule.units().getFirst()));
    return processor.experts(expert, granule.units().size(), rows, 1);
  }

  private Compute products(Work.Located located, int rows) {
    return machine.device().products(matrices.get(unit(located)), rows);
  }

  private Compute product(Work.Located located, Role role, int rows) {
    return machine.device().products(MatrixShape.of(unit(located), role::equals), rows);
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

  private static int tokens(PassShape pass, int microBatch) {
    return pass.microBatches().get(microBatch).tokens();
  }

  /** What the engine's own thread does before a pass: writes what goes up to the device. */
  public Cost prepare(double uploadBytes) {
    return machine.onOneCore(machine.host().movement(uploadBytes));
  }

  /** What it does after one: looks at every logit for the largest. */
  public Cost choose(int logitsRows) {
    double bytes = (double) logitsRows * model.vocabularySize() * DType.F32.bytes();
    return machine.onOneCore(machine.host().movement(bytes));
  }
}
