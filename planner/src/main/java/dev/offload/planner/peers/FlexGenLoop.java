package dev.offload.planner.peers;

import dev.offload.tensors.Tier;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * FlexGen's loop as its published program executes it ({@code flex_opt.py}), not its cost model.
 *
 * <p>Attention and feed-forward are layers of their own. For token i and layer j, micro-batch after
 * micro-batch k: ask for all weights of the next layer (at k = 0 only), the cache of the next
 * micro-batch, its hidden state; compute; store the cache of the last micro-batch; then wait for
 * everything. What is not asynchronous in the program is not so here: copies out of pageable memory
 * and attention on the CPU hold up the thread that launches the rest, and hidden states are copied
 * on the stream that computes. Weights in 4 bits are expanded at every k. The time of launching is
 * not counted.
 *
 * <p>Many published throughputs are projections: after the prompts, layers 10 to 19 of the second
 * token were measured, and their mean stands for every layer of every later token.
 */
public final class FlexGenLoop {
  private static final int FIRST_MEASURED_LAYER = 10;
  private static final int LAST_MEASURED_LAYER = 19;
  private static final int MATRIX_BYTES = 2;

  private final OptModel model;
  private final FlexGenPolicy policy;
  private final FlexGenMachine machine;
  private final int promptTokens;
  private final int generatedTokens;
  private final List<Layer> layers;

  private FlexGenLoop(
      OptModel model,
      FlexGenPolicy policy,
      FlexGenMachine machine,
      int promptTokens,
      int generatedTokens) {
    this.model = model;
    this.policy = policy;
    this.machine = machine;
    this.promptTokens = promptTokens;
    this.generatedTokens = generatedTokens;
    layers = layers();
  }

  /**
   * What a block of sequences takes.
   *
   * @throws IllegalArgumentException if there are too few tokens, or too few layers to project from
   */
  public static PeerPrediction predict(
      OptModel model,
      FlexGenPolicy policy,
      FlexGenMachine machine,
      int promptTokens,
      int generatedTokens) {
    if (promptTokens < 1 || generatedTokens < 1) {
      throw new IllegalArgumentException(
          "tokens are %d and %d, must be at least 1".formatted(promptTokens, generatedTokens));
    }
    FlexGenLoop loop = new FlexGenLoop(model, policy, machine, promptTokens, generatedTokens);
    if (policy.projected() && loop.layers.size() <= LAST_MEASURED_LAYER) {
      throw new IllegalArgumentException(
          model.name() + " has too few layers to project the time of all from layers 10 to 19");
    }
    return loop.predict();
  }

  private PeerPrediction predict() {
    Map<Activity, Double> decode = new EnumMap<>(Activity.class);
    if (policy.projected()) {
      int measured = LAST_MEASURED_LAYER - FIRST_MEASURED_LAYER + 1;
      double times = (generatedTokens - 1.0) * layers.size() / measured;
      add(decode, pass(1, FIRST_MEASURED_LAYER, LAST_MEASURED_LAYER), times);
    } else {
      for (int i = 1; i < generatedTokens; i++) {
        add(decode, pass(i, 0, layers.size() - 1), 1);
      }
    }
    return new PeerPrediction(
        policy.sequences(), generatedTokens, pass(0, 0, layers.size() - 1), decode);
  }

  /** Seconds of some layers for token i. */
  private Map<Activity, Double> pass(int i, int firstLayer, int lastLayer) {
    Map<Activity, Double> seconds = new EnumMap<>(Activity.class);
    for (int j = firstLayer; j <= lastLayer; j++) {
      for (int k = 0; k < policy.microBatches(); k++) {
        StepTime step = step(i, j, k);
        add(seconds, policy.overlap() ? step.longestPath() : step.inSequence(), 1);
      }
    }
    return seconds;
  }

  private static void add(Map<Activity, Double> all, Map<Activity, Double> some, double times) {
    some.forEach((activity, seconds) -> all.merge(activity, times * seconds, Double::sum));
  }

  private StepTime step(int i, int j, int k) {
    StepTime step = new StepTime();
    if (k == 0) {
      loadWeights(step, layer(j + 1));
    }
    boolean lastBatch = k == policy.microBatches() - 1;
    if (i > 0 && layer(lastBatch ? j + 1 : j).isAttention()) {
      loadCache(step, i);
    }
    if (i == 0 && layer(k == 0 ? j - 1 : j).isAttention()) {
      storeCache(step);
    }
    moveHidden(step, i);
    multiply(step, layer(j), i);
    if (layer(j).isAttention()) {
      attend(step, i);
    }
    return step;
  }

  private void loadWeights(StepTime step, Layer next) {
    WeightHomes homes = WeightHomes.of(policy, next.matrices());
    double bytes = next.parameters() * policy.weightBytes();
    step.add(
        Activity.HOST_TO_DEVICE, bytes * (homes.host() + homes.disk()) / machine.hostToDevice());
    step.add(Activity.DISK, bytes * homes.disk() / machine.diskRead());
    if (!policy.pinnedWeights()) {
      step.add(Activity.PAGEABLE_COPIES, bytes * homes.host() / machine.pageableCopy());
    }
  }

  /** A cache on the host that the CPU attends to is read where it is. */
  private void loadCache(StepTime step, int i) {
    double bytes = cacheElements(i) * policy.kvBytes();
    if (policy.kv() == Tier.DISK) {
      step.add(Activity.DISK, bytes / machine.diskRead());
    }
    if (policy.kv() == Tier.HOST && !policy.cpuAttention()) {
      step.add(Activity.PAGEABLE_COPIES, bytes / machine.pageableCopy());
      step.add(Activity.HOST_TO_DEVICE, bytes / machine.hostToDevice());
    }
  }

  /** Of prompts; what one generated token adds is little. */
  private void storeCache(StepTime step) {
    double bytes = cacheElements(0) * policy.kvBytes();
    if (policy.kv() == Tier.HOST) {
      step.add(Activity.STORING_KV, bytes / machine.cacheToHost());
    }
    if (policy.kv() == Tier.DISK) {
      step.add(Activity.DISK, bytes / machine.diskWrite());
    }
  }

  private void moveHidden(StepTime step, int i) {
    if (policy.hidden() == Tier.HOST) {
      double bytes = tokens(i) * model.hidden() * MATRIX_BYTES;
      step.add(
          Activity.HIDDEN_STATES, bytes / machine.deviceToHost() + bytes / machine.hostToDevice());
    }
  }

  private void multiply(StepTime step, Layer layer, int i) {
    if (policy.weights4Bit()) {
      step.add(Activity.QUANTISATION, layer.parameters() / machine.quantisedElements());
    }
    if (layer.isProduct()) {
      double reading = layer.parameters() * MATRIX_BYTES / machine.deviceMemory();
      double computing = 2 * layer.parameters() * tokens(i) / machine.matrixFlops();
      step.add(Activity.MATRIX_PRODUCTS, Math.max(reading, computing));
    }
  }

  private void attend(StepTime step, int i) {
    double elements = cacheElements(i);
    boolean onCpu = i > 0 && policy.cpuAttention();
    if (policy.kv4Bit() && !onCpu) {
      step.add(Activity.QUANTISATION, elements / machine.quantisedElements());
    }
    if (i == 0) {
      double operations = 4.0 * tokens(0) * promptTokens * model.hidden();
      step.add(Activity.DEVICE_ATTENTION, operations / machine.promptAttentionFlops());
    } else if (onCpu) {
      double rate = machine.cpuAttention(policy.microBatch());
      step.add(Activity.CPU_ATTENTION, elements * MATRIX_BYTES / rate);
    } else {
      step.add(Activity.DEVICE_ATTENTION, elements * MATRIX_BYTES / machine.deviceAttention());
    }
  }

  /** Tokens of a micro-batch that are computed. */
  private double tokens(int i) {
    return policy.microBatch() * (i == 0 ? (double) promptTokens : 1);
  }

  /** Keys and values of a micro-batch in one layer. */
  private double cacheElements(int i) {
    return 2.0 * policy.microBatch() * (promptTokens + i) * model.hidden();
  }

  /** The layer before the first and the one after the last are those of the neighbour tokens. */
  private Layer layer(int j) {
    return layers.get(Math.floorMod(j, layers.size()));
  }

  private List<Layer> layers() {
    List<Layer> all = new ArrayList<>();
    all.add(new Layer(Kind.EMBEDDING, model.embeddingParameters(), 1));
    for (int j = 0; j < model.layers(); j++) {
      all.add(new Layer(Kind.ATTENTION, model.attentionParameters(), 4));
      all.add(new Layer(Kind.FEED_FORWARD, model.feedForwardParameters(), 2));
    }
    all.add(new Layer(Kind.OUTPUT, model.embeddingParameters(), 1));
    return List.copyOf(all);
  }

  private enum Kind {
    EMBEDDING,
    ATTENTION,
    FEED_FORWARD,
    OUTPUT
  }

  /** What FlexGen takes for a layer, of so many matrices of one size. */
  private record Layer(Kind kind, double parameters, int matrices) {
    boolean isAttention() {
      return kind == Kind.ATTENTION;
    }

    /** Looking tokens up in the embedding costs next to nothing. */
    boolean isProduct() {
      return kind != Kind.EMBEDDING;
    }
  }
}
