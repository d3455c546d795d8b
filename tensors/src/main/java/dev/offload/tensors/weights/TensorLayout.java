package dev.offload.tensors.weights;

/** How one kind of model names and arranges its tensors: fills the units with parameters. */
interface TensorLayout {
  void embedding(UnitBuilder unit);

  void attention(UnitBuilder unit, int layer);

  /** A dense feed-forward part with its norms. */
  void mlp(UnitBuilder unit, int layer);

  /** The router with the norms of the feed-forward part and the shared expert's gate. */
  default void router(UnitBuilder unit, int layer) {
    throw new AssertionError("no mixture of experts");
  }

  default void sharedExpert(UnitBuilder unit, int layer) {
    throw new AssertionError("no shared expert");
  }

  default void expert(UnitBuilder unit, int layer, int expert) {
    throw new AssertionError("no mixture of experts");
  }

  /** What comes between the last layer and the output matrix. */
  void head(UnitBuilder unit);

  /** The whole output matrix. */
  void output(UnitBuilder unit);
}
