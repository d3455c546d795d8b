package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.engine.weights.HostExpertWeights;
import dev.offload.moe.TokenRegrouping;
import dev.offload.planner.Plan;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.weights.UnitId;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The way of the rows that chose experts of the host: to it, through the experts, and of their
 * results back to the device. Owns its buffers and the host's stream, not the weights.
 */
final class HostExperts implements AutoCloseable {

  /**
   * How large the buffers are.
   *
   * @param rows most rows of a pass that choose experts of the host in one layer
   * @param up most outputs of an expert's first matrix
   * @param width most inputs of an expert's second matrix
   * @param input format in which rows enter a product of the device, and cross
   * @param hostInput format in which rows enter a product of the host
   */
  record Sizes(int rows, int hidden, int up, int width, DType input, DType hostInput) {

    static Sizes of(ModelConfig model, Plan plan, DType input, DType hostInput) {
      int rows = 0;
      int up = 0;
      int width = 0;
      for (Map.Entry<Integer, BitSet> layer : byLayer(plan).entrySet()) {
        MixtureOfExperts mixture =
            (MixtureOfExperts) model.layers().get(layer.getKey()).feedForward();
        int perToken = Math.min(mixture.expertsPerToken(), layer.getValue().cardinality());
        rows = Math.max(rows, plan.passTokens() * perToken);
        up = Math.max(up, ExpertProducts.upWidth(mixture.expert()));
        width = Math.max(width, mixture.expert().width());
      }
      return new Sizes(rows, model.hiddenSize(), up, width, input, hostInput);
    }

    private long collectedBytes() {
      return (long) rows * hidden * input.bytes();
    }

    private long upBytes() {
      return (long) rows * up * DType.F32.bytes();
    }

    private long activatedBytes() {
      return (long) rows * width * hostInput.bytes();
    }

    private long outBytes() {
      return (long) rows * hidden * DType.F32.bytes();
    }

    /** Host bytes of everything but the weights. */
    long bytes() {
      return collectedBytes() + upBytes() + activatedBytes() + outBytes();
    }
  }

  private final Device host;
  private final HostExpertWeights weights;
  private final Sizes sizes;
  private final Map<Integer, BitSet> byLayer;
  private final Stream stream;
  private final PinnedBuffer collected;
  private final PinnedBuffer up;
  private final PinnedBuffer activated;
  private final PinnedBuffer out;
  private final DeviceBuffer wrappedCollected;
  private final DeviceBuffer wrappedUp;
  private final DeviceBuffer wrappedActivated;
  private final DeviceBuffer wrappedOut;

  /**
   * @param device whose budget of host memory counts
   * @param host computes
   */
  HostExperts(Device device, Device host, Plan plan, Sizes sizes, HostExpertWeights weights) {
    this.host = host;
    this.weights = weights;
    this.sizes = sizes;
    this.byLayer = byLayer(plan);
    this.collected = device.allocatePinned("rows for experts of the host", sizes.collectedBytes());
    this.up = device.allocatePinned("experts of the host", sizes.upBytes());
    this.activated = device.allocatePinned("experts of the host", sizes.activatedBytes());
    this.out = device.allocatePinned("results of experts of the host", sizes.outBytes());
    this.wrappedCollected = host.wrap(collected);
    this.wrappedUp = host.wrap(up);
    this.wrappedActivated = host.wrap(activated);
    this.wrappedOut = host.wrap(out);
    this.stream = host.newStream("experts");
  }

  private static Map<Integer, BitSet> byLayer(Plan plan) {
    Map<Integer, BitSet> experts = new TreeMap<>();
    for (UnitId expert : plan.hostExperts()) {
      experts.computeIfAbsent(expert.layer(), _ -> new BitSet()).set(expert.number());
    }
    return experts;
  }

  /** Numbers of the experts of a layer that the host computes. */
  BitSet of(int layer) {
    return byLayer.getOrDefault(layer, new BitSet());
  }

  /** Enqueues the way to the host of all rows for its experts. */
  void download(Stream d2h, Matrix rows) {
    d2h.copyToHost(rows.buffer(), rows.offset(), collected, 0, bytes(rows));
  }

  /**
   * Computes, on the caller's thread and the host's threads; returns when done.
   *
   * @param experts those of the layer that the host computes, whose rows are the first ones
   */
  void compute(Layer layer, List<UnitId> experts, TokenRegrouping regrouping) {
    Mlp expert = ((MixtureOfExperts) layer.feedForward()).expert();
    int rows = regrouping.leadingRows();
    ExpertProducts.of(experts, regrouping, weights::view)
        .run(
            host.operations(),
            stream,
            expert,
            Matrix.dense(wrappedCollected, 0, sizes.input(), rows, sizes.hidden()),
            Matrix.dense(wrappedUp, 0, DType.F32, rows, ExpertProducts.upWidth(expert)),
            Matrix.dense(wrappedActivated, 0, sizes.hostInput(), rows, expert.width()),
            Matrix.dense(wrappedOut, 0, DType.F32, rows, sizes.hidden()));
    stream.synchronize();
  }

  /** Enqueues the way to the device of what the host's experts gave. */
  void upload(Stream h2d, Matrix rows) {
    h2d.copyToDevice(out, 0, rows.buffer(), rows.offset(), bytes(rows));
  }

  private static long bytes(Matrix rows) {
    return (long) rows.rows() * rows.columns() * rows.dtype().bytes();
  }

  @Override
  public void close() {
    Closing.all(
        List.of(
            stream,
            wrappedOut,
            wrappedActivated,
            wrappedUp,
            wrappedCollected,
            out,
            activated,
            up,
            collected));
  }
}
