package dev.offload.planner.cost;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * How likely a token is to choose each of some experts of a layer.
 *
 * @param alike experts that are equally likely; none if there are no experts
 */
public record ExpertShares(List<Alike> alike) {
  /** More kinds of experts than that make a difference to nothing. */
  private static final int MOST_KINDS = 64;

  /** Of no experts. */
  public static final ExpertShares NONE = new ExpertShares(List.of());

  /**
   * Experts that are equally likely.
   *
   * @param share of the tokens that choose one of them, 0 to 1
   * @param experts how many
   */
  public record Alike(double share, double experts) {
    public Alike {
      if (!(share >= 0 && share <= 1) || !(experts > 0)) {
        throw new IllegalArgumentException(
            "%s experts cannot be chosen by a share of %s of the tokens each"
                .formatted(experts, share));
      }
    }
  }

  public ExpertShares {
    alike = List.copyOf(alike);
  }

  /** All experts of a layer equally likely. */
  public static ExpertShares equal(int perToken, int experts) {
    if (perToken < 1 || perToken > experts) {
      throw new IllegalArgumentException(
          "a token cannot choose %d of %d experts".formatted(perToken, experts));
    }
    return new ExpertShares(List.of(new Alike((double) perToken / experts, experts)));
  }

  /** Experts with these shares; similar ones are taken for alike, which keeps the mean. */
  public static ExpertShares of(List<Double> shares) {
    List<Double> sorted = shares.stream().sorted().toList();
    List<Alike> alike = new ArrayList<>();
    int kinds = Math.min(MOST_KINDS, sorted.size());
    for (int kind = 0; kind < kinds; kind++) {
      List<Double> of =
          sorted.subList(
              (int) ((long) kind * sorted.size() / kinds),
              (int) ((long) (kind + 1) * sorted.size() / kinds));
      double mean = of.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      if (!alike.isEmpty() && alike.getLast().share() == mean) {
        Alike last = alike.removeLast();
        alike.add(new Alike(mean, last.experts() + of.size()));
      } else {
        alike.add(new Alike(mean, of.size()));
      }
    }
    return new ExpertShares(alike);
  }

  /** The mean over all experts of a function of the share. */
  double mean(DoubleUnaryOperator ofShare) {
    double sum = 0;
    double experts = 0;
    for (Alike each : alike) {
      sum += each.experts() * ofShare.applyAsDouble(each.share());
      experts += each.experts();
    }
    return sum / experts;
  }
}
