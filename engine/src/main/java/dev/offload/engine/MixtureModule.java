package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.RouterSpec;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.engine.weights.UnitView;
import dev.offload.engine.weights.WeightStore;
import dev.offload.moe.RoutingCounts;
import dev.offload.moe.TokenRegrouping;
import dev.offload.planner.Work.Located;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Router;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The mixture-of-experts module of one layer, for all tokens of the pass at once. Device steps
 * enqueue only; {@link #regroup} runs on the caller's thread. Owns its host buffers.
 */
final class MixtureModule implements AutoCloseable {
  private final Operations operations;
  private final Workspace workspace;
  private final FeedForwardModule feedForward;
  private final TokenRegrouping regrouping;
  private final RoutingCounts counts;
  private final int maxPairs;
  private final PinnedBuffer host;
  private final Optional<HostExperts> hostExperts;

  /**
   * @param hostExperts if the host computes some; not owned
   */
  MixtureModule(
      Device device,
      Workspace workspace,
      FeedForwardModule feedForward,
      int layers,
      int experts,
      int maxPairs,
      Optional<HostExperts> hostExperts) {
    this.operations = device.operations();
    this.workspace = workspace;
    this.feedForward = feedForward;
    this.regrouping = new TokenRegrouping(experts);
    this.counts = new RoutingCounts(layers, experts);
    this.maxPairs = maxPairs;
    this.hostExperts = hostExperts;
    this.host = device.allocatePinned("routing", hostBytes(maxPairs));
  }

  /** Host bytes for chosen experts and the two sorted orders. */
  static long hostBytes(int maxPairs) {
    return 3L * 4 * maxPairs;
  }

  /** Norm, router logits and choice; the shared expert's gate. */
  void route(Stream stream, Layer layer, UnitView weights, Matrix residual) {
    MixtureOfExperts mixture = (MixtureOfExperts) layer.feedForward();
    int tokens = residual.rows();
    Matrix x = workspace.normed(tokens);
    feedForward.normalise(stream, layer, weights, residual, x);
    Matrix logits = workspace.routerLogits(tokens, mixture.experts());
    operations.matmul(
        stream, x, weights.weight(Role.ROUTER), weights.vector(Role.ROUTER_BIAS), false, logits);
    if (mixture.sharedGate()) {
      operations.matmul(
          stream,
          x,
          weights.weight(Role.SHARED_GATE),
          Optional.empty(),
          false,
          workspace.gate(tokens));
    }
    operations.route(
        stream,
        logits,
        spec(mixture, weights.vector(Role.ROUTER_CORRECTION)),
        workspace.chosen(tokens * mixture.expertsPerToken()),
        workspace.routerWeights(tokens, mixture.expertsPerToken()));
  }

  private static RouterSpec spec(MixtureOfExperts mixture, Optional<Vector> correction) {
    Router router = mixture.router();
    RouterSpec.Scoring scoring =
        switch (router.scoring()) {
          case SOFTMAX -> RouterSpec.Scoring.SOFTMAX;
          case SIGMOID -> RouterSpec.Scoring.SIGMOID;
          case SOFTMAX_OF_CHOSEN -> RouterSpec.Scoring.SOFTMAX_OF_CHOSEN;
        };
    return new RouterSpec(
        mixture.expertsPerToken(),
        scoring,
        router.normalise(),
        router.scale(),
        router.groups(),
        router.groupsKept(),
        correction);
  }

  void downloadRouting(Stream stream, int pairs) {
    stream.copyToHost(
        workspace.chosen(pairs).buffer(), workspace.chosen(pairs).offset(), host, 0, 4L * pairs);
  }

  /** Sorts the pass's tokens by expert, those of the host's experts first. */
  void regroup(int layer, int tokens, int expertsPerToken) {
    long size = 4L * maxPairs;
    BitSet onHost = hostExperts.map(experts -> experts.of(layer)).orElseGet(BitSet::new);
    regrouping.sort(
        host.segment().asSlice(0, size),
        tokens,
        expertsPerToken,
        onHost,
        host.segment().asSlice(size, size),
        host.segment().asSlice(2 * size, size));
    counts.add(layer, regrouping);
  }

  /** How often experts have been chosen so far. */
  RoutingCounts counts() {
    return counts;
  }

  void uploadRegrouping(Stream stream, int pairs) {
    long size = 4L * maxPairs;
    var tokenOfRow = workspace.tokenOfRow(pairs);
    var rowOfPair = workspace.rowOfPair(pairs);
    stream.copyToDevice(host, size, tokenOfRow.buffer(), tokenOfRow.offset(), 4L * pairs);
    stream.copyToDevice(host, 2 * size, rowOfPair.buffer(), rowOfPair.offset(), 4L * pairs);
  }

  void collect(Stream stream, int tokens, int pairs) {
    operations.gatherRows(
        stream, workspace.normed(tokens), workspace.tokenOfRow(pairs), workspace.collected(pairs));
  }

  /** Whether any token of the pass chose an expert of the granule; only after {@link #regroup}. */
  boolean isNeeded(List<UnitId> experts) {
    return experts.stream().anyMatch(id -> regrouping.rows(id.number()) > 0);
  }

  /** All experts of a granule. */
  void experts(Stream stream, Layer layer, Located located, WeightStore store, int pairs) {
    Mlp expert = ((MixtureOfExperts) layer.feedForward()).expert();
    ExpertProducts.of(located.granule().units(), regrouping, id -> store.view(located, id))
        .run(
            operations,
            stream,
            expert,
            workspace.collected(pairs),
            workspace.expertUp(pairs, ExpertProducts.upWidth(expert)),
            workspace.expertActivated(pairs, expert.width()),
            workspace.expertOut(pairs));
  }

  /** Whether any token of the pass chose an expert of the host; only after {@link #regroup}. */
  boolean isHostNeeded() {
    return regrouping.leadingRows() > 0;
  }

  void downloadRows(Stream stream, int pairs) {
    onHost().download(stream, workspace.collected(pairs).rows(0, regrouping.leadingRows()));
  }

  /** All experts of the layer that the host computes; runs on the caller's thread. */
  void expertsOnHost(Layer layer, List<UnitId> experts) {
    onHost().compute(layer, experts, regrouping);
  }

  void uploadRows(Stream stream, int pairs) {
    onHost().upload(stream, workspace.expertOut(pairs).rows(0, regrouping.leadingRows()));
  }

  private HostExperts onHost() {
    return hostExperts.orElseThrow();
  }

  /** The expert that every token takes, into the residual stream. */
  void sharedExpert(Stream stream, Layer layer, UnitView weights, Matrix residual) {
    MixtureOfExperts mixture = (MixtureOfExperts) layer.feedForward();
    int tokens = residual.rows();
    Matrix x = workspace.normed(tokens);
    Mlp shared =
        new Mlp(
            mixture.sharedWidth(),
            mixture.expert().activation(),
            mixture.expert().gated(),
            mixture.expert().bias());
    Matrix activated = feedForward.activate(stream, shared, weights, x);
    Matrix out = mixture.sharedGate() ? workspace.projected(tokens) : residual;
    operations.matmul(
        stream,
        activated,
        weights.weight(Role.DOWN),
        weights.vector(Role.DOWN_BIAS),
        !mixture.sharedGate(),
        out);
    if (mixture.sharedGate()) {
      operations.scaleRowsBySigmoid(stream, out, workspace.gate(tokens));
      operations.add(stream, residual, out);
    }
  }

  void combine(Stream stream, int tokens, int expertsPerToken, Matrix residual) {
    int pairs = tokens * expertsPerToken;
    operations.combine(
        stream,
        workspace.expertOut(pairs),
        workspace.rowOfPair(pairs),
        workspace.routerWeights(tokens, expertsPerToken),
        true,
        residual);
  }

  @Override
  public void close() {
    host.close();
  }
}
