package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.engine.execute.TaskActions;
import dev.offload.engine.kvcache.KvStore;
import dev.offload.engine.pass.Chunk;
import dev.offload.engine.pass.MicroBatchInput;
import dev.offload.engine.pass.Pass;
import dev.offload.engine.weights.UnitView;
import dev.offload.engine.weights.WeightStore;
import dev.offload.planner.Granule;
import dev.offload.planner.Plan;
import dev.offload.planner.Task;
import dev.offload.planner.Work;
import dev.offload.planner.cost.RoutingStatistics;
import dev.offload.sampling.RowLogits;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What each task of a schedule does with the values of one engine. The engine thread prepares a
 * pass; afterwards the lanes call in, each task once.
 */
final class TaskRunner implements TaskActions, AutoCloseable {
  private final ModelConfig model;
  private final WeightStore weights;
  private final KvStore cache;
  private final Workspace workspace;
  private final Device device;
  private final List<MicroBatchInput> inputs;
  private final List<Optional<HostAttention>> hostAttention;
  private final AttentionModule attention;
  private final FeedForwardModule feedForward;
  private final Optional<MixtureModule> mixture;
  private final HeadModule head;
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder bytesStreamed = new LongAdder();

  private Pass pass = Pass.NOTHING;
  private int[] firstRows = {};
  private final AtomicLong passNumber = new AtomicLong(-1);

  private volatile int lastRegrouped = -1;

  /** What a runner works with; all of it is the engine's. */
  record Parts(
      ModelConfig model,
      Plan plan,
      Device device,
      WeightStore weights,
      KvStore cache,
      Workspace workspace,
      List<MicroBatchInput> inputs,
      List<Optional<HostAttention>> hostAttention,
      Optional<HostExperts> hostExperts) {}

  TaskRunner(Parts parts) {
    this.model = parts.model();
    this.weights = parts.weights();
    this.cache = parts.cache();
    this.workspace = parts.workspace();
    this.device = parts.device();
    this.inputs = parts.inputs();
    this.hostAttention = parts.hostAttention();
    this.attention = new AttentionModule(device.operations(), workspace);
    this.feedForward = new FeedForwardModule(device.operations(), workspace);
    this.mixture = newMixture(parts);
    this.head = new HeadModule(device, workspace, model, parts.plan().maxSequences());
  }

  private Optional<MixtureModule> newMixture(Parts parts) {
    int experts = 0;
    int perToken = 0;
    for (Layer layer : model.layers()) {
      if (layer.feedForward() instanceof MixtureOfExperts of) {
        experts = Math.max(experts, of.experts());
        perToken = Math.max(perToken, of.expertsPerToken());
      }
    }
    return experts == 0
        ? Optional.empty()
        : Optional.of(
            new MixtureModule(
                device,
                workspace,
                feedForward,
                model.layers().size(),
                experts,
                parts.plan().passTokens() * perToken,
                parts.hostExperts()));
  }

  /** Takes the next pass; everything of the last one is done. */
  void prepare(Pass next) {
    pass = next;
    lastRegrouped = -1;
    passNumber.incrementAndGet();
    firstRows = new int[inputs.size()];
    int row = 0;
    for (int i = 0; i < inputs.size(); i++) {
      firstRows[i] = row;
      List<Chunk> chunks = pass.microBatches().get(i);
      inputs.get(i).fill(chunks);
      for (Chunk chunk : chunks) {
        row += chunk.count();
        int logitsRows = chunk.logitsRows();
        for (int r = 0; r < logitsRows; r++) {
          head.select(chunk.firstLogitsRow() + r, row - logitsRows + r);
        }
      }
    }
  }

  /** What is wanted of the logits of a row of the pass; valid until the next one. */
  RowLogits logits(int row) {
    return head.logits(pass, row);
  }

  /** Bytes read from files during passes so far. */
  long bytesRead() {
    return bytesRead.sum();
  }

  /** Bytes of weights copied to the device during passes so far. */
  long bytesStreamed() {
    return bytesStreamed.sum();
  }

  @Override
  public boolean isNeeded(Task task) {
    return switch (task.work()) {
      case Work.CopyWeights copy -> isNeeded(copy);
      case Work.DownloadRows _, Work.ExpertsOnHost _, Work.UploadRows _ -> mixture().isHostNeeded();
      default -> true;
    };
  }

  private boolean isNeeded(Work.CopyWeights copy) {
    if (copy.granule().kind() == UnitId.Kind.EXPERT
        && copy.pass() == passNumber.get()
        && copy.granule().layer() == lastRegrouped) {
      return mixture().isNeeded(copy.granule().units());
    }
    return true;
  }

  @Override
  public void onStream(Task task, Stream stream) {
    int tokens = pass.tokens();
    switch (task.work()) {
      case Work.UploadBatch work -> {
        inputs.get(work.microBatch()).upload(stream);
        if (firstRows[work.microBatch()] == 0 && pass.logitsRows() > 0) {
          head.upload(stream, pass.logitsRows());
        }
      }
      case Work.Embed work -> embed(stream, work);
      case Work.CopyWeights work -> {
        weights.copy(work, stream);
        bytesStreamed.add(work.granule().storedBytes());
      }
      case Work.ExpandWeights work -> weights.expand(work, stream);
      case Work.LoadKv work ->
          cache.load(
              stream,
              work.layer(),
              work.microBatch(),
              work.slot(),
              inputs.get(work.microBatch()).usedBlocks());
      case Work.StoreKv work ->
          cache.store(
              stream,
              work.layer(),
              work.microBatch(),
              work.slot(),
              inputs.get(work.microBatch()).writtenBlocks());
      case Work.Attention work -> attend(stream, work);
      case Work.Project work -> {
        Layer layer = model.layers().get(work.layer());
        attention.project(
            stream,
            layer,
            weights.view(work.weights()),
            inputs.get(work.microBatch()),
            residual(work.microBatch()),
            onHost(work.microBatch()).qkv(inputs.get(work.microBatch()).tokens(), layer));
      }
      case Work.DownloadQueries work ->
          onHost(work.microBatch())
              .download(
                  stream, inputs.get(work.microBatch()).tokens(), model.layers().get(work.layer()));
      case Work.UploadAttended work ->
          onHost(work.microBatch())
              .upload(
                  stream, inputs.get(work.microBatch()).tokens(), model.layers().get(work.layer()));
      case Work.ProjectOutput work -> {
        Layer layer = model.layers().get(work.layer());
        attention.output(
            stream,
            layer,
            weights.view(work.weights()),
            onHost(work.microBatch()).attended(inputs.get(work.microBatch()).tokens(), layer),
            residual(work.microBatch()),
            parallel(layer, work.microBatch()));
      }
      case Work.FeedForward work -> {
        Layer layer = model.layers().get(work.layer());
        feedForward.run(
            stream,
            layer,
            weights.view(work.weights()),
            residual(work.microBatch()),
            parallel(layer, work.microBatch()));
      }
      case Work.Route work ->
          mixture()
              .route(
                  stream,
                  model.layers().get(work.layer()),
                  weights.view(work.weights()),
                  workspace.residual(tokens));
      case Work.SharedExpert work ->
          mixture()
              .sharedExpert(
                  stream,
                  model.layers().get(work.layer()),
                  weights.view(work.weights()),
                  workspace.residual(tokens));
      case Work.DownloadRouting work ->
          mixture().downloadRouting(stream, tokens * expertsPerToken(work.layer()));
      case Work.UploadRegrouping work ->
          mixture().uploadRegrouping(stream, tokens * expertsPerToken(work.layer()));
      case Work.Collect work ->
          mixture().collect(stream, tokens, tokens * expertsPerToken(work.layer()));
      case Work.Experts work ->
          mixture()
              .experts(
                  stream,
                  model.layers().get(work.layer()),
                  work.weights(),
                  weights,
                  tokens * expertsPerToken(work.layer()));
      case Work.DownloadRows work ->
          mixture().downloadRows(stream, tokens * expertsPerToken(work.experts().layer()));
      case Work.UploadRows work ->
          mixture().uploadRows(stream, tokens * expertsPerToken(work.experts().layer()));
      case Work.Combine work ->
          mixture()
              .combine(stream, tokens, expertsPerToken(work.layer()), workspace.residual(tokens));
      case Work.Head work ->
          head.collect(
              stream,
              work.weights().map(weights::view),
              workspace.residual(tokens),
              pass.logitsRows());
      case Work.Output work -> head.multiply(stream, work.weights(), weights, pass.logitsRows());
      case Work.BestLogits _ -> head.findBest(stream, pass);
      case Work.DownloadLogits _ -> head.download(stream, pass);
      case Work.ReadWeights _, Work.AttendOnHost _, Work.Regroup _, Work.ExpertsOnHost _ ->
          throw new IllegalArgumentException(task.work() + " runs on the host");
    }
  }

  @Override
  public void onHost(Task task) {
    switch (task.work()) {
      case Work.ReadWeights work -> bytesRead.add(weights.read(work));
      case Work.Regroup work -> {
        mixture().regroup(work.layer(), pass.tokens(), expertsPerToken(work.layer()));
        lastRegrouped = work.layer();
      }
      case Work.AttendOnHost work -> {
        MicroBatchInput input = inputs.get(work.microBatch());
        onHost(work.microBatch())
            .attend(
                work.layer(),
                model.layers().get(work.layer()),
                input,
                cache.onHost(work.layer(), work.microBatch()));
      }
      case Work.ExpertsOnHost work -> {
        Granule experts = work.experts();
        mixture().expertsOnHost(model.layers().get(experts.layer()), experts.units());
      }
      default -> throw new IllegalArgumentException(task.work() + " runs on a stream");
    }
  }

  private void embed(Stream stream, Work.Embed work) {
    MicroBatchInput input = inputs.get(work.microBatch());
    Matrix residual = residual(work.microBatch());
    if (work.weights().isPresent()) {
      UnitView unit = weights.view(work.weights().get());
      Matrix narrow = workspace.narrowed(input.tokens());
      device.operations().convert(stream, input.embeddings(), narrow);
      device
          .operations()
          .matmul(stream, narrow, unit.weight(Role.PROJECT_IN), Optional.empty(), false, residual);
    } else {
      device.operations().convert(stream, input.embeddings(), residual);
    }
    input.positions().ifPresent(rows -> device.operations().add(stream, residual, rows));
  }

  private void attend(Stream stream, Work.Attention work) {
    Layer layer = model.layers().get(work.layer());
    MicroBatchInput input = inputs.get(work.microBatch());
    UnitView unit = weights.view(work.weights());
    Matrix residual = residual(work.microBatch());
    int tokens = input.tokens();
    Matrix qkv = workspace.qkv(tokens, layer.attention().qkvWidth());
    Matrix attended = workspace.attended(tokens, layer.attention().attendedWidth());
    KvBlocks blocks = cache.onDevice(work.layer(), work.microBatch(), work.slot());
    attention.projectAndAppend(stream, layer, unit, input, residual, blocks, qkv);
    AttentionModule.attend(
        device.operations(),
        stream,
        layer,
        unit.vector(Role.SINKS),
        input.onDevice(),
        blocks,
        qkv,
        attended);
    attention.output(stream, layer, unit, attended, residual, parallel(layer, work.microBatch()));
  }

  private Matrix residual(int microBatch) {
    return workspace
        .residual(pass.tokens())
        .rows(firstRows[microBatch], inputs.get(microBatch).tokens());
  }

  private Optional<Matrix> parallel(Layer layer, int microBatch) {
    return layer.parallel()
        ? Optional.of(
            workspace
                .parallel(pass.tokens())
                .rows(firstRows[microBatch], inputs.get(microBatch).tokens()))
        : Optional.empty();
  }

  /** How often experts were chosen in all passes so far; empty if none was. */
  Optional<RoutingStatistics> routing() {
    List<RoutingStatistics.Layer> layers = new ArrayList<>();
    for (int i = 0; mixture.isPresent() && i < model.layers().size(); i++) {
      if (model.layers().get(i).feedForward() instanceof MixtureOfExperts of) {
        List<Long> tokens = mixture().counts().of(i, of.experts());
        if (tokens.stream().anyMatch(count -> count > 0)) {
          layers.add(new RoutingStatistics.Layer(i, of.expertsPerToken(), tokens));
        }
      }
    }
    return layers.isEmpty() ? Optional.empty() : Optional.of(new RoutingStatistics(layers));
  }

  private HostAttention onHost(int microBatch) {
    return hostAttention.get(microBatch).orElseThrow();
  }

  private MixtureModule mixture() {
    return mixture.orElseThrow();
  }

  private int expertsPerToken(int layer) {
    return ((MixtureOfExperts) model.layers().get(layer).feedForward()).expertsPerToken();
  }

  @Override
  public void close() {
    List<AutoCloseable> owned = new ArrayList<>();
    owned.add(head);
    mixture.ifPresent(owned::add);
    Closing.all(owned);
  }
}
