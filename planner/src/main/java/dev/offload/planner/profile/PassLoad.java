package dev.offload.planner.profile;

import dev.offload.planner.PassShape;
import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What passes have to multiply and to attend to.
 *
 * @param products with weights of each size; first the size that most weights have
 * @param usualRows rows that most weights are multiplied with while sequences decode
 * @param isInParts whether micro-batches follow each other with the same weights
 * @param attendsOnHost whether the host attends to caches, which the device waits for
 * @param decode sequences of which one row attends
 * @param prompts sequences that attend to themselves
 */
public record PassLoad(
    Map<MatrixSize, Multiplied> products,
    int usualRows,
    boolean isInParts,
    boolean attendsOnHost,
    Attended decode,
    Attended prompts) {
  /** So many numbers of rows are measured one by one; among more, powers of two. */
  private static final int MOST_EXACT = 8;

  /** Experts get any number of rows; up to so many times as many as they get on average. */
  private static final double MOST_ROWS_OF_MEAN = 2;

  public PassLoad {
    products = Collections.unmodifiableMap(new LinkedHashMap<>(products));
  }

  /**
   * What is multiplied with weights of one size.
   *
   * @param rows numbers of rows, ascending
   * @param ofUnit how many numbers its unit has: so many are multiplied until the next micro-batch
   *     comes to the same weights
   */
  public record Multiplied(List<Integer> rows, double ofUnit) {
    public Multiplied {
      rows = List.copyOf(rows);
    }
  }

  /**
   * Sequences of equal lengths.
   *
   * @param context tokens of the cache of each, its own included
   */
  public record Attended(int sequences, int context) {}

  /**
   * That of passes: numbers of rows as they have them, attention as in the largest micro-batches.
   *
   * @param units of the model, the output matrix in the slices in which it is multiplied
   * @param attendsOnHost whether the host attends to caches
   */
  public static PassLoad of(
      List<PassShape> passes, ModelConfig model, List<WeightUnit> units, boolean attendsOnHost) {
    Map<MatrixSize, Double> elements = new HashMap<>();
    Map<MatrixSize, NavigableSet<Integer>> rows = new HashMap<>();
    Map<MatrixSize, Double> ofUnit = new HashMap<>();
    Map<UnitId.Kind, NavigableSet<Integer>> ofKind = new EnumMap<>(UnitId.Kind.class);
    for (WeightUnit unit : units) {
      UnitId.Kind kind = unit.id().kind();
      List<MatrixShape> matrices = MatrixShape.of(unit);
      double all = matrices.stream().mapToDouble(MatrixShape::elements).sum();
      for (MatrixShape shape : matrices) {
        MatrixSize size = Profiler.cut(new MatrixSize(shape.outputs(), shape.inputs()));
        elements.merge(size, shape.elements(), Double::sum);
        ofUnit.merge(size, all, Math::max);
        rows.computeIfAbsent(size, _ -> new TreeSet<>())
            .addAll(ofKind.computeIfAbsent(kind, _ -> rows(kind, passes, model)));
      }
    }
    Map<MatrixSize, Multiplied> products = new LinkedHashMap<>();
    elements.entrySet().stream()
        .sorted(Map.Entry.<MatrixSize, Double>comparingByValue().reversed())
        .map(Map.Entry::getKey)
        .filter(size -> !rows.get(size).isEmpty())
        .forEach(
            size ->
                products.put(size, new Multiplied(List.copyOf(rows.get(size)), ofUnit.get(size))));
    boolean isInParts =
        passes.stream()
            .anyMatch(
                pass -> pass.microBatches().stream().filter(each -> each.tokens() > 0).count() > 1);
    Attended decode =
        largest(passes, MicroBatch::decoding)
            .map(
                batch ->
                    new Attended(
                        batch.decoding(), Math.toIntExact(batch.decodeKeys() / batch.decoding())))
            .orElse(new Attended(1, 1));
    double each = chosenShare(model).orElse(1);
    int usualRows = Math.max(1, (int) Math.round(each * decode.sequences()));
    Attended prompts =
        largest(passes, MicroBatch::promptTokens)
            .map(
                batch -> {
                  int sequences = Math.max(1, batch.sequences() - batch.decoding());
                  return new Attended(sequences, batch.promptTokens() / sequences);
                })
            .orElse(new Attended(1, 1));
    return new PassLoad(products, usualRows, isInParts, attendsOnHost, decode, prompts);
  }

  /** The most rows of all. */
  int mostRows() {
    return products.values().stream().mapToInt(each -> each.rows().getLast()).max().orElse(1);
  }

  private static NavigableSet<Integer> rows(
      UnitId.Kind kind, List<PassShape> passes, ModelConfig model) {
    return switch (kind) {
      case EMBEDDING, ATTENTION, MLP ->
          few(
              passes.stream()
                  .flatMap(pass -> pass.microBatches().stream())
                  .mapToInt(MicroBatch::tokens));
      case ROUTER, SHARED_EXPERT -> few(passes.stream().mapToInt(PassShape::tokens));
      case HEAD, OUTPUT -> few(passes.stream().mapToInt(PassShape::logitsRows));
      case EXPERT -> rowsOfExperts(passes, model);
    };
  }

  private static NavigableSet<Integer> few(IntStream rows) {
    NavigableSet<Integer> all =
        rows.filter(each -> each > 0).boxed().collect(Collectors.toCollection(TreeSet::new));
    if (all.size() <= MOST_EXACT) {
      return all;
    }
    NavigableSet<Integer> powers = powersOfTwo(all.last());
    powers.add(all.last());
    return powers;
  }

  private static NavigableSet<Integer> rowsOfExperts(List<PassShape> passes, ModelConfig model) {
    double chosen = chosenShare(model).orElse(0);
    int most = passes.stream().mapToInt(PassShape::tokens).max().orElse(1);
    return powersOfTwo((int) Math.ceil(Math.min(most, MOST_ROWS_OF_MEAN * chosen * most)));
  }

  /** Which share of experts a token chooses, if there are any. */
  private static OptionalDouble chosenShare(ModelConfig model) {
    return model.layers().stream()
        .filter(layer -> layer.feedForward() instanceof MixtureOfExperts)
        .map(layer -> (MixtureOfExperts) layer.feedForward())
        .mapToDouble(mixture -> (double) mixture.expertsPerToken() / mixture.experts())
        .max();
  }

  private static NavigableSet<Integer> powersOfTwo(int most) {
    return IntStream.iterate(1, each -> each <= most, each -> 2 * each)
        .boxed()
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Optional<MicroBatch> largest(
      List<PassShape> passes, ToIntFunction<MicroBatch> size) {
    List<MicroBatch> batches =
        passes.stream()
            .flatMap(pass -> pass.microBatches().stream())
            .filter(batch -> size.applyAsInt(batch) > 0)
            .toList();
    int most = batches.stream().mapToInt(size).max().orElse(0);
    // The one in the middle of those that are as large: its caches are as long as on average.
    List<MicroBatch> as = batches.stream().filter(batch -> size.applyAsInt(batch) == most).toList();
    return as.isEmpty() ? Optional.empty() : Optional.of(as.get(as.size() / 2));
  }
}
