package dev.offload.tensors.weights;

import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Activation;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Latent;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.model.ModelConfig.Norm;
import dev.offload.tensors.model.ModelConfig.NormPlacement;
import dev.offload.tensors.model.ModelConfig.QueryKeyNorm;
import dev.offload.tensors.model.ModelConfig.Router;
import dev.offload.tensors.model.Rope;
import dev.offload.tensors.model.RopeTable;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A transformer in the plainest code that is right, straight from {@link ModelConfig} and units:
 * the oracle for what they mean. Sums in binary64.
 */
final class ReferenceModel {
  private final ModelFolder model;
  private final ModelConfig config;
  private final Map<UnitId, Map<Role, float[]>> loaded = new HashMap<>();
  private final Map<Rope, RopeTable> ropes = new HashMap<>();

  ReferenceModel(ModelFolder model) {
    this.model = model;
    config = model.config();
  }

  /** Logits at every position of one sequence. */
  double[][] logits(int[] tokens) {
    double[][] x = embed(tokens);
    for (int layer = 0; layer < config.layers().size(); layer++) {
      x = layer(x, layer);
    }
    double[][] logits = new double[x.length][];
    WeightUnit head = model.unit(UnitId.head());
    WeightUnit output = model.unit(UnitId.output(0));
    for (int t = 0; t < x.length; t++) {
      double[] row = norm(x[t], config.finalNorm(), head, Role.FINAL_NORM, Role.FINAL_NORM_BIAS);
      if (head.find(Role.PROJECT_OUT).isPresent()) {
        row = linear(row, head, Role.PROJECT_OUT, null);
      }
      logits[t] = linear(row, output, Role.OUTPUT, null);
      cap(logits[t], config.head().softCap());
    }
    return logits;
  }

  private double[][] embed(int[] tokens) {
    WeightUnit unit = model.unit(UnitId.embedding());
    float[] table = floats(unit, Role.TOKEN_TABLE);
    int width = config.embedding().width();
    double[][] x = new double[tokens.length][];
    for (int t = 0; t < tokens.length; t++) {
      double[] row = new double[width];
      for (int i = 0; i < width; i++) {
        row[i] = table[tokens[t] * width + i] * config.embedding().scale();
      }
      if (unit.find(Role.PROJECT_IN).isPresent()) {
        row = linear(row, unit, Role.PROJECT_IN, null);
      }
      x[t] = row;
    }
    if (config.embedding().positionRows() > 0) {
      float[] positions = floats(unit, Role.POSITION_TABLE);
      for (int t = 0; t < tokens.length; t++) {
        int start = (t + config.embedding().positionOffset()) * config.hiddenSize();
        for (int i = 0; i < config.hiddenSize(); i++) {
          x[t][i] += positions[start + i];
        }
      }
    }
    return x;
  }

  private double[][] layer(double[][] x, int number) {
    Layer layer = config.layers().get(number);
    WeightUnit attention = model.unit(UnitId.of(UnitId.Kind.ATTENTION, number));
    boolean dense = layer.feedForward() instanceof Mlp;
    WeightUnit feedForward =
        model.unit(UnitId.of(dense ? UnitId.Kind.MLP : UnitId.Kind.ROUTER, number));
    boolean after = layer.norms() == NormPlacement.AFTER;

    double[][] attended = attention(after ? x : attentionNorm(x, layer, attention), number);
    if (layer.norms() == NormPlacement.BOTH) {
      attended = normAll(attended, layer.norm(), attention, Role.ATTENTION_POST_NORM, null);
    }
    double[][] middle = sum(x, attended);
    if (after) {
      middle = attentionNorm(middle, layer, attention);
    }

    double[][] entering = layer.parallel() ? x : middle;
    double[][] fed =
        feedForward(after ? entering : feedForwardNorm(entering, layer, feedForward), number);
    if (layer.norms() == NormPlacement.BOTH) {
      fed = normAll(fed, layer.norm(), feedForward, Role.FEED_FORWARD_POST_NORM, null);
    }
    double[][] out = sum(middle, fed);
    return after ? feedForwardNorm(out, layer, feedForward) : out;
  }

  private double[][] attentionNorm(double[][] x, Layer layer, WeightUnit unit) {
    return normAll(x, layer.norm(), unit, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS);
  }

  private double[][] attention(double[][] x, int number) {
    Attention attention = config.layers().get(number).attention();
    WeightUnit unit = model.unit(UnitId.of(UnitId.Kind.ATTENTION, number));
    int d = attention.headDim();
    int keysAt = attention.heads() * d;
    int valuesAt = attention.latent().isPresent() ? keysAt : keysAt + attention.keyValueHeads() * d;
    double[][] qkv = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      if (attention.latent().isPresent()) {
        qkv[t] = latent(x[t], unit, attention, t, x.length);
        continue;
      }
      qkv[t] = linear(x[t], unit, Role.QKV, Role.QKV_BIAS);
      normaliseHeads(qkv[t], 0, keysAt, Role.QUERY_NORM, number);
      normaliseHeads(qkv[t], keysAt, valuesAt, Role.KEY_NORM, number);
      if (attention.rope().dimensions() > 0) {
        rotate(qkv[t], 0, valuesAt, d, attention.rope(), t, x.length);
      }
    }
    float[] sinks = attention.sinks() ? floats(unit, Role.SINKS) : null;
    double[][] out = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] mixed = new double[attention.attendedWidth()];
      for (int head = 0; head < attention.heads(); head++) {
        int group = head / (attention.heads() / attention.keyValueHeads());
        int first = attention.window() == 0 ? 0 : Math.max(0, t - attention.window() + 1);
        double[] scores = new double[t + 1 - first + (sinks == null ? 0 : 1)];
        for (int s = first; s <= t; s++) {
          double dot = 0;
          for (int i = 0; i < d; i++) {
            dot += qkv[t][head * d + i] * qkv[s][keysAt + group * d + i];
          }
          scores[s - first] = dot * attention.scale();
        }
        cap(scores, attention.softCap());
        if (sinks != null) {
          scores[scores.length - 1] = sinks[head];
        }
        softmax(scores);
        int dv = attention.valueDim();
        for (int s = first; s <= t; s++) {
          for (int i = 0; i < dv; i++) {
            mixed[head * dv + i] += scores[s - first] * qkv[s][valuesAt + group * dv + i];
          }
        }
      }
      if (attention.latent().isPresent()) {
        mixed = perHead(mixed, unit, Role.VALUE_UP, attention.heads());
      }
      out[t] = linear(mixed, unit, Role.ATTENTION_OUTPUT, Role.ATTENTION_OUTPUT_BIAS);
    }
    return out;
  }

  /** Queries of all heads and the key that they share, in each the latent before the rotated. */
  private double[] latent(
      double[] x, WeightUnit unit, Attention attention, int position, int length) {
    Latent latent = attention.latent().orElseThrow();
    double[] down = linear(x, unit, Role.QKV, null);
    int keyAt = down.length - attention.headDim();
    double[] queries = Arrays.copyOf(down, keyAt);
    if (latent.queryRank() > 0) {
      queries = norm(queries, latent.norm(), unit, Role.QUERY_LATENT_NORM, null);
      queries = linear(queries, unit, Role.QUERY_UP, null);
    }
    int d = latent.headDim();
    Rope rope = attention.rope();
    rotate(queries, 0, queries.length, d, rope, position, length);
    double[] plain = new double[attention.heads() * latent.plainDim()];
    for (int head = 0; head < attention.heads(); head++) {
      System.arraycopy(
          queries,
          head * d + latent.rotatedDim(),
          plain,
          head * latent.plainDim(),
          latent.plainDim());
    }
    double[] absorbed = perHead(plain, unit, Role.KEY_UP, attention.heads());
    double[] out = new double[(attention.heads() + 1) * attention.headDim()];
    for (int head = 0; head < attention.heads(); head++) {
      int to = head * attention.headDim();
      System.arraycopy(absorbed, head * latent.rank(), out, to, latent.rank());
      System.arraycopy(queries, head * d, out, to + latent.rank(), latent.rotatedDim());
    }
    double[] key = Arrays.copyOfRange(down, keyAt, keyAt + latent.rank());
    int to = attention.heads() * attention.headDim();
    System.arraycopy(
        norm(key, latent.norm(), unit, Role.KEY_VALUE_LATENT_NORM, null),
        0,
        out,
        to,
        latent.rank());
    System.arraycopy(down, keyAt + latent.rank(), out, to + latent.rank(), latent.rotatedDim());
    rotate(out, to + latent.rank(), out.length, latent.rotatedDim(), rope, position, length);
    return out;
  }

  /** The matrix of each head times its part of {@code x}. */
  private double[] perHead(double[] x, WeightUnit unit, Role role, int heads) {
    float[] weight = floats(unit, role);
    int inputs = x.length / heads;
    int outputs = weight.length / heads / inputs;
    double[] out = new double[heads * outputs];
    for (int row = 0; row < out.length; row++) {
      for (int i = 0; i < inputs; i++) {
        out[row] += x[row / outputs * inputs + i] * weight[row * inputs + i];
      }
    }
    return out;
  }

  private void normaliseHeads(double[] qkv, int from, int to, Role role, int number) {
    Layer layer = config.layers().get(number);
    WeightUnit unit = model.unit(UnitId.of(UnitId.Kind.ATTENTION, number));
    if (layer.attention().queryKeyNorm() == QueryKeyNorm.NONE) {
      return;
    }
    boolean whole = layer.attention().queryKeyNorm() == QueryKeyNorm.WHOLE;
    int width = whole ? to - from : layer.attention().headDim();
    for (int start = from; start < to; start += width) {
      double[] head = Arrays.copyOfRange(qkv, start, start + width);
      System.arraycopy(norm(head, layer.norm(), unit, role, null), 0, qkv, start, width);
    }
  }

  /**
   * Rotates the first dimensions of each head of {@code width} from {@code from} to {@code end}.
   */
  private void rotate(
      double[] qkv, int from, int end, int width, Rope rope, int position, int length) {
    int dimensions = rope.dimensions();
    float[] row = new float[dimensions];
    ropes
        .computeIfAbsent(rope, RopeTable::new)
        .write(position, length, MemorySegment.ofArray(row), 0);
    for (int start = from; start < end; start += width) {
      for (int i = 0; i < dimensions / 2; i++) {
        int a = start + (rope.interleaved() ? 2 * i : i);
        int b = start + (rope.interleaved() ? 2 * i + 1 : i + dimensions / 2);
        double cos = row[i];
        double sin = row[dimensions / 2 + i];
        double before = qkv[a];
        qkv[a] = before * cos - qkv[b] * sin;
        qkv[b] = qkv[b] * cos + before * sin;
      }
    }
  }

  private double[][] feedForwardNorm(double[][] x, Layer layer, WeightUnit unit) {
    return normAll(x, layer.norm(), unit, Role.FEED_FORWARD_NORM, Role.FEED_FORWARD_NORM_BIAS);
  }

  private double[][] feedForward(double[][] x, int number) {
    double[][] out = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      out[t] =
          switch (config.layers().get(number).feedForward()) {
            case Mlp mlp -> mlp(x[t], mlp, model.unit(UnitId.of(UnitId.Kind.MLP, number)));
            case MixtureOfExperts mixture -> mixture(x[t], mixture, number);
          };
    }
    return out;
  }

  private double[] mixture(double[] x, MixtureOfExperts mixture, int number) {
    WeightUnit unit = model.unit(UnitId.of(UnitId.Kind.ROUTER, number));
    Router router = mixture.router();
    double[] scores = linear(x, unit, Role.ROUTER, Role.ROUTER_BIAS);
    switch (router.scoring()) {
      case SOFTMAX -> softmax(scores);
      case SIGMOID -> Arrays.setAll(scores, i -> sigmoid(scores[i]));
      case SOFTMAX_OF_CHOSEN -> {}
    }
    double[] choice = scores.clone();
    if (router.correctionBias()) {
      float[] correction = floats(unit, Role.ROUTER_CORRECTION);
      Arrays.setAll(choice, i -> scores[i] + correction[i]);
    }
    hideGroups(choice, router);
    List<Integer> chosen =
        IntStream.range(0, mixture.experts())
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -choice[i]))
            .limit(mixture.expertsPerToken())
            .toList();
    double[] weights = chosen.stream().mapToDouble(i -> scores[i]).toArray();
    if (router.scoring() == Router.Scoring.SOFTMAX_OF_CHOSEN) {
      softmax(weights);
    }
    double total = router.normalise() ? Arrays.stream(weights).sum() : 1;
    double[] out = new double[config.hiddenSize()];
    for (int j = 0; j < weights.length; j++) {
      double[] y = mlp(x, mixture.expert(), model.unit(UnitId.expert(number, chosen.get(j))));
      for (int i = 0; i < out.length; i++) {
        out[i] += y[i] * weights[j] / total * router.scale();
      }
    }
    if (mixture.sharedWidth() > 0) {
      double gate = mixture.sharedGate() ? sigmoid(linear(x, unit, Role.SHARED_GATE, null)[0]) : 1;
      Mlp expert = mixture.expert();
      Mlp shared =
          new Mlp(mixture.sharedWidth(), expert.activation(), expert.gated(), expert.bias());
      double[] y = mlp(x, shared, model.unit(UnitId.of(UnitId.Kind.SHARED_EXPERT, number)));
      for (int i = 0; i < out.length; i++) {
        out[i] += y[i] * gate;
      }
    }
    return out;
  }

  /** Only experts of the best groups can be chosen. */
  private static void hideGroups(double[] choice, Router router) {
    int size = choice.length / router.groups();
    int counted = router.correctionBias() ? 2 : 1;
    double[] groups = new double[router.groups()];
    for (int group = 0; group < groups.length; group++) {
      double[] sorted = Arrays.copyOfRange(choice, group * size, (group + 1) * size);
      Arrays.sort(sorted);
      for (int i = 1; i <= Math.min(counted, size); i++) {
        groups[group] += sorted[size - i];
      }
    }
    IntStream.range(0, groups.length)
        .boxed()
        .sorted(Comparator.comparingDouble(group -> -groups[group]))
        .skip(router.groupsKept())
        .forEach(
            group ->
                Arrays.fill(choice, group * size, (group + 1) * size, Double.NEGATIVE_INFINITY));
  }

  private double[] mlp(double[] x, Mlp mlp, WeightUnit unit) {
    double[] up = linear(x, unit, Role.UP, Role.UP_BIAS);
    double[] inner = new double[mlp.width()];
    for (int i = 0; i < inner.length; i++) {
      inner[i] =
          mlp.gated()
              ? gated(up[i], up[mlp.width() + i], mlp.activation())
              : activate(up[i], mlp.activation());
    }
    return linear(inner, unit, Role.DOWN, Role.DOWN_BIAS);
  }

  private static double gated(double gate, double up, Activation activation) {
    if (activation == Activation.CLAMPED_SWIGLU) {
      double clamped = Math.min(gate, 7);
      return (Math.clamp(up, -7, 7) + 1) * clamped * sigmoid(1.702 * clamped);
    }
    return activate(gate, activation) * up;
  }

  private static double activate(double x, Activation activation) {
    return switch (activation) {
      case SILU -> x * sigmoid(x);
      case GELU -> x * normalDistribution(x);
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case RELU -> Math.max(0, x);
      case CLAMPED_SWIGLU -> throw new IllegalArgumentException("only gated");
    };
  }

  /** By its power series, exact enough for |x| below 8. */
  private static double normalDistribution(double x) {
    if (Math.abs(x) > 8) {
      return x > 0 ? 1 : 0;
    }
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= x * x / (2 * n + 1);
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static void softmax(double[] x) {
    double top = Arrays.stream(x).max().orElseThrow();
    Arrays.setAll(x, i -> Math.exp(x[i] - top));
    double sum = Arrays.stream(x).sum();
    Arrays.setAll(x, i -> x[i] / sum);
  }

  private static void cap(double[] x, double cap) {
    if (cap > 0) {
      Arrays.setAll(x, i -> cap * Math.tanh(x[i] / cap));
    }
  }

  private static double[][] sum(double[][] x, double[][] y) {
    double[][] sum = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] row = x[t].clone();
      for (int i = 0; i < row.length; i++) {
        row[i] += y[t][i];
      }
      sum[t] = row;
    }
    return sum;
  }

  private double[][] normAll(double[][] x, Norm norm, WeightUnit unit, Role weight, Role bias) {
    double[][] out = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      out[t] = norm(x[t], norm, unit, weight, bias);
    }
    return out;
  }

  private double[] norm(double[] x, Norm norm, WeightUnit unit, Role weightRole, Role biasRole) {
    if (norm.kind() == Norm.Kind.NONE) {
      return x;
    }
    boolean centred = norm.kind() == Norm.Kind.LAYER;
    double mean = centred ? Arrays.stream(x).average().orElseThrow() : 0;
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    float[] weight = floats(unit, weightRole);
    double[] out = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double factor = norm.unitOffset() ? 1 + weight[i] : weight[i];
      out[i] = (x[i] - mean) / Math.sqrt(variance + norm.epsilon()) * factor;
      if (centred) {
        out[i] += floats(unit, biasRole)[i];
      }
    }
    return out;
  }

  private double[] linear(double[] x, WeightUnit unit, Role role, Role biasRole) {
    float[] weight = floats(unit, role);
    double[] out = new double[weight.length / x.length];
    for (int row = 0; row < out.length; row++) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * weight[row * x.length + i];
      }
      out[row] = sum;
    }
    if (biasRole != null && unit.find(biasRole).isPresent()) {
      float[] bias = floats(unit, biasRole);
      Arrays.setAll(out, i -> out[i] + bias[i]);
    }
    return out;
  }

  private float[] floats(WeightUnit unit, Role role) {
    return loaded
        .computeIfAbsent(unit.id(), id -> new HashMap<>())
        .computeIfAbsent(role, wanted -> load(unit.find(wanted).orElseThrow()));
  }

  private float[] load(Parameter parameter) {
    float[] numbers = new float[Math.toIntExact(parameter.elements())];
    model.weights().read(parameter, DType.F32, MemorySegment.ofArray(numbers));
    return numbers;
  }
}
