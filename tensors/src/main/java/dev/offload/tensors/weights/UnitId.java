package dev.offload.tensors.weights;

/**
 * Name of a weight unit.
 *
 * @param kind what it is
 * @param layer its layer, -1 for {@link Kind#EMBEDDING} and {@link Kind#HEAD}
 * @param expert its expert number, -1 unless the kind is {@link Kind#EXPERT}
 */
public record UnitId(Kind kind, int layer, int expert) {

  /** What a unit holds. */
  public enum Kind {
    /** Token and position tables and the projection to the hidden size. */
    EMBEDDING,
    /** Norms around attention, q, k, v and output projections. */
    ATTENTION,
    /** Norms around the feed-forward part and a dense MLP. */
    MLP,
    /** Norms around the feed-forward part, router, and the shared expert's gate. */
    ROUTER,
    /** The expert that every token takes. */
    SHARED_EXPERT,
    /** One routed expert. */
    EXPERT,
    /** Final norm, projection out of the hidden size, output matrix. */
    HEAD
  }

  public static UnitId embedding() {
    return new UnitId(Kind.EMBEDDING, -1, -1);
  }

  public static UnitId head() {
    return new UnitId(Kind.HEAD, -1, -1);
  }

  public static UnitId of(Kind kind, int layer) {
    return new UnitId(kind, layer, -1);
  }

  public static UnitId expert(int layer, int expert) {
    return new UnitId(Kind.EXPERT, layer, expert);
  }

  /** Short text such as {@code layer.3.expert.5} or {@code head}. */
  @Override
  public String toString() {
    String kindName = kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    return switch (kind) {
      case EMBEDDING, HEAD -> kindName;
      case EXPERT -> "layer." + layer + "." + kindName + "." + expert;
      default -> "layer." + layer + "." + kindName;
    };
  }
}
