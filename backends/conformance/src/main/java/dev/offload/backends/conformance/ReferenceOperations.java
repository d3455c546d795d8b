package dev.offload.backends.conformance;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.RouterSpec.Scoring;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * What the operations of a device mean, in plain double precision Java, written down as in a
 * textbook: nothing here is fast, and nothing is shared with a backend. Matrices are arrays of
 * rows.
 */
final class ReferenceOperations {
  private ReferenceOperations() {}

  /** {@code x · weightᵀ + bias}; the sizes are those of the summands. */
  static Expected matmul(double[][] x, double[][] weight, double[] bias) {
    double[][] values = new double[x.length][weight.length];
    double[][] sizes = new double[x.length][weight.length];
    for (int m = 0; m < x.length; m++) {
      for (int n = 0; n < weight.length; n++) {
        double sum = bias.length == 0 ? 0 : bias[n];
        double size = Math.abs(sum);
        for (int k = 0; k < x[m].length; k++) {
          sum += x[m][k] * weight[n][k];
          size += Math.abs(x[m][k] * weight[n][k]);
        }
        values[m][n] = sum;
        sizes[m][n] = size;
      }
    }
    return new Expected(values, sizes);
  }

  /** Both results and sizes added up. */
  static double[][] sum(double[][] a, double[][] b) {
    double[][] sum = new double[a.length][a[0].length];
    for (int row = 0; row < a.length; row++) {
      for (int i = 0; i < a[row].length; i++) {
        sum[row][i] = a[row][i] + b[row][i];
      }
    }
    return sum;
  }

  /** Every number on its own. */
  static double[][] map(double[][] x, DoubleUnaryOperator function) {
    double[][] out = new double[x.length][];
    for (int row = 0; row < x.length; row++) {
      out[row] = Arrays.stream(x[row]).map(function).toArray();
    }
    return out;
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** RMSNorm, or LayerNorm if there is a bias; the sizes are those before the bias is added. */
  static Expected norm(
      double[][] x, double[] weight, double[] bias, double epsilon, boolean unitOffset) {
    double[][] values = new double[x.length][weight.length];
    double[][] sizes = new double[x.length][weight.length];
    for (int row = 0; row < x.length; row++) {
      double mean = bias.length == 0 ? 0 : Arrays.stream(x[row]).average().orElse(0);
      double squares = 0;
      double largest = 0;
      for (double number : x[row]) {
        squares += (number - mean) * (number - mean);
        largest = Math.max(largest, Math.abs(number));
      }
      double deviation = Math.sqrt(squares / weight.length + epsilon);
      for (int i = 0; i < weight.length; i++) {
        double factor = (unitOffset ? 1 + weight[i] : weight[i]) / deviation;
        double offset = bias.length == 0 ? 0 : bias[i];
        values[row][i] = (x[row][i] - mean) * factor + offset;
        double size = bias.length == 0 ? Math.abs(x[row][i]) : largest;
        sizes[row][i] = size * Math.abs(factor) + Math.abs(offset);
      }
    }
    return new Expected(values, sizes);
  }

  static double[][] headNorm(
      double[][] x, int heads, double[] weight, double epsilon, boolean unitOffset) {
    int width = weight.length;
    double[][] out = new double[x.length][heads * width];
    for (int row = 0; row < x.length; row++) {
      for (int h = 0; h < heads; h++) {
        double[] head = Arrays.copyOfRange(x[row], h * width, (h + 1) * width);
        double[][] normed =
            norm(new double[][] {head}, weight, new double[0], epsilon, unitOffset).values();
        System.arraycopy(normed[0], 0, out[row], h * width, width);
      }
    }
    return out;
  }

  static double[][] activate(double[][] x, Activation activation, boolean gated) {
    int width = gated ? x[0].length / 2 : x[0].length;
    double[][] out = new double[x.length][width];
    for (int row = 0; row < x.length; row++) {
      for (int i = 0; i < width; i++) {
        double up = gated ? x[row][width + i] : 1;
        out[row][i] = activate(activation, x[row][i], up);
      }
    }
    return out;
  }

  private static double activate(Activation activation, double gate, double up) {
    return switch (activation) {
      case SILU -> gate * sigmoid(gate) * up;
      case GELU -> gate * normalCdf(gate) * up;
      case GELU_TANH -> {
        double inner = Math.sqrt(2 / Math.PI) * (gate + 0.044715 * gate * gate * gate);
        // (1 + tanh(u)) / 2 = sigmoid(2u) keeps its digits for large negative u
        yield gate * sigmoid(2 * inner) * up;
      }
      case RELU -> Math.max(gate, 0) * up;
      case CLAMPED_SWIGLU -> {
        double g = Math.min(gate, 7);
        yield (Math.clamp(up, -7.0, 7.0) + 1) * g * sigmoid(1.702 * g);
      }
    };
  }

  /**
   * The cumulative normal distribution, by Simpson's rule from far out on the side of the smaller
   * tail.
   */
  static double normalCdf(double x) {
    if (x > 0) {
      return 1 - normalCdf(-x);
    }
    int steps = 1000; // an error of 1e-10
    double from = Math.min(x, 0) - 12;
    double width = (x - from) / steps;
    double sum = density(from) + density(x);
    for (int i = 1; i < steps; i++) {
      sum += (i % 2 == 0 ? 2 : 4) * density(from + i * width);
    }
    return sum * width / 3;
  }

  private static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  static Expected rope(
      double[][] x, int heads, int dimensions, boolean interleaved, double[][] cosSin) {
    double[][] out = new double[x.length][];
    double[][] sizes = new double[x.length][];
    int width = x[0].length / heads;
    int half = dimensions / 2;
    for (int row = 0; row < x.length; row++) {
      out[row] = x[row].clone();
      sizes[row] = x[row].clone();
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < half; i++) {
          int first = h * width + (interleaved ? 2 * i : i);
          int second = h * width + (interleaved ? 2 * i + 1 : i + half);
          double a = x[row][first];
          double b = x[row][second];
          double cos = cosSin[row][i];
          double sin = cosSin[row][half + i];
          out[row][first] = a * cos - b * sin;
          out[row][second] = b * cos + a * sin;
          sizes[row][first] = Math.abs(a * cos) + Math.abs(b * sin);
          sizes[row][second] = Math.abs(b * cos) + Math.abs(a * sin);
        }
      }
      sizes[row] = Arrays.stream(sizes[row]).map(Math::abs).toArray();
    }
    return new Expected(out, sizes);
  }

  /**
   * Attention of one query over the tokens it sees.
   *
   * @param keys of the tokens seen, [tokens][headDim]
   * @param values of the tokens seen, [tokens][valueDim]
   * @param sink logit that joins the softmax, or minus infinity
   * @param sizes takes the weighted sum of the magnitudes of the values
   */
  static double[] attend(
      double[] query,
      double[][] keys,
      double[][] values,
      double scale,
      double softCap,
      double sink,
      double[] sizes) {
    double[] scores = new double[keys.length];
    double largest = sink;
    for (int t = 0; t < keys.length; t++) {
      for (int i = 0; i < query.length; i++) {
        scores[t] += query[i] * keys[t][i] * scale;
      }
      if (softCap > 0) {
        scores[t] = softCap * Math.tanh(scores[t] / softCap);
      }
      largest = Math.max(largest, scores[t]);
    }
    double total = Math.exp(sink - largest);
    double[] out = new double[values[0].length];
    for (int t = 0; t < keys.length; t++) {
      double weight = Math.exp(scores[t] - largest);
      total += weight;
      for (int i = 0; i < out.length; i++) {
        out[i] += weight * values[t][i];
        sizes[i] += weight * Math.abs(values[t][i]);
      }
    }
    for (int i = 0; i < out.length; i++) {
      out[i] /= total;
      sizes[i] /= total;
    }
    return out;
  }

  /** Expert numbers and their weights for one token. */
  record Routing(List<Integer> experts, List<Double> weights) {}

  /**
   * Chooses experts for one token.
   *
   * @param correction one bias per expert, or empty
   */
  static Routing route(
      double[] logits,
      int expertsPerToken,
      Scoring scoring,
      boolean normalise,
      double scale,
      int groups,
      int groupsKept,
      double[] correction) {
    double[] scores = scores(logits, scoring);
    double[] selection = correction.length == 0 ? logits : sum(scores, correction);
    List<Integer> candidates = candidates(selection, groups, groupsKept, correction.length > 0);
    List<Integer> chosen = best(candidates, selection, expertsPerToken);
    double[] weights = chosen.stream().mapToDouble(e -> scores[e]).toArray();
    if (scoring == Scoring.SOFTMAX_OF_CHOSEN) {
      weights = softmax(weights);
    }
    double total = normalise ? Arrays.stream(weights).sum() : 1;
    List<Double> scaled = new ArrayList<>();
    for (double weight : weights) {
      scaled.add(weight / total * scale);
    }
    return new Routing(chosen, scaled);
  }

  private static double[] scores(double[] logits, Scoring scoring) {
    return switch (scoring) {
      case SOFTMAX -> softmax(logits);
      case SIGMOID -> Arrays.stream(logits).map(ReferenceOperations::sigmoid).toArray();
      case SOFTMAX_OF_CHOSEN -> logits;
    };
  }

  /**
   * The experts of the best groups; a group is judged by its best, if corrected by its best two.
   */
  private static List<Integer> candidates(
      double[] selection, int groups, int groupsKept, boolean corrected) {
    int size = selection.length / groups;
    double[] groupScores = new double[groups];
    for (int g = 0; g < groups; g++) {
      List<Integer> members = IntStream.range(g * size, (g + 1) * size).boxed().toList();
      for (int e : best(members, selection, corrected ? Math.min(2, size) : 1)) {
        groupScores[g] += selection[e];
      }
    }
    List<Integer> kept = best(IntStream.range(0, groups).boxed().toList(), groupScores, groupsKept);
    return IntStream.range(0, selection.length)
        .filter(e -> kept.contains(e / size))
        .boxed()
        .toList();
  }

  /** The candidates with the largest scores, the largest first; of equal ones the lower number. */
  private static List<Integer> best(List<Integer> candidates, double[] scores, int count) {
    return candidates.stream()
        .sorted(
            Comparator.comparingDouble((Integer e) -> -scores[e])
                .thenComparing(Comparator.naturalOrder()))
        .limit(count)
        .toList();
  }

  private static double[] sum(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
  }

  private static double[] softmax(double[] x) {
    double largest = Arrays.stream(x).max().orElseThrow();
    double total = Arrays.stream(x).map(v -> Math.exp(v - largest)).sum();
    return Arrays.stream(x).map(v -> Math.exp(v - largest) / total).toArray();
  }

  /** Columns of the largest numbers: NaN first, then by falling number, then by column. */
  static int[] largest(double[] row, int count) {
    return IntStream.range(0, row.length)
        .boxed()
        .sorted(
            Comparator.comparing((Integer i) -> !Double.isNaN(row[i]))
                .thenComparingDouble(i -> 0.0 - row[i])
                .thenComparing(Comparator.naturalOrder()))
        .mapToInt(Integer::intValue)
        .limit(count)
        .toArray();
  }

  /** {@code Σ exp(x − the largest)}. */
  static double sumOfExponentials(double[] row) {
    double largest = Arrays.stream(row).max().orElseThrow();
    return Arrays.stream(row).map(x -> Math.exp(x - largest)).sum();
  }
}
