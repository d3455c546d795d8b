package dev.offload.engine;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.WeightRows;
import dev.offload.engine.weights.UnitView;
import dev.offload.moe.TokenRegrouping;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Some experts of a layer, each for the rows that chose it, wherever they are computed. */
final class ExpertProducts {
  private final List<WeightRows> ups = new ArrayList<>();
  private final List<WeightRows> downs = new ArrayList<>();
  private final List<Vector> upBiases = new ArrayList<>();
  private final List<Vector> downBiases = new ArrayList<>();
  private int first = Integer.MAX_VALUE;
  private int end;

  private ExpertProducts() {}

  /** Those of the given experts that any token of the pass chose. */
  static ExpertProducts of(
      List<UnitId> experts, TokenRegrouping regrouping, Function<UnitId, UnitView> weights) {
    ExpertProducts products = new ExpertProducts();
    for (UnitId id : experts) {
      int rows = regrouping.rows(id.number());
      if (rows > 0) {
        products.add(weights.apply(id), regrouping.firstRow(id.number()), rows);
      }
    }
    return products;
  }

  private void add(UnitView weights, int firstRow, int rows) {
    ups.add(new WeightRows(weights.weight(Role.UP), firstRow, rows));
    downs.add(new WeightRows(weights.weight(Role.DOWN), firstRow, rows));
    weights.vector(Role.UP_BIAS).ifPresent(upBiases::add);
    weights.vector(Role.DOWN_BIAS).ifPresent(downBiases::add);
    first = Math.min(first, firstRow);
    end = Math.max(end, firstRow + rows);
  }

  /**
   * Enqueues.
   *
   * @param x [M, hidden] rows sorted by expert
   * @param up [M, {@link #upWidth}] for what is in between
   * @param activated [M, expert's width] likewise
   * @param out [M, hidden]; rows of other experts stay
   */
  void run(
      Operations operations,
      Stream stream,
      Mlp expert,
      Matrix x,
      Matrix up,
      Matrix activated,
      Matrix out) {
    if (ups.isEmpty()) {
      return;
    }
    operations.groupedMatmul(stream, x, ups, upBiases, up);
    operations.activate(
        stream,
        up.rows(first, end - first),
        FeedForwardModule.activation(expert),
        expert.gated(),
        activated.rows(first, end - first));
    operations.groupedMatmul(stream, activated, downs, downBiases, out);
  }

  /** Outputs of an expert's first matrix. */
  static int upWidth(Mlp expert) {
    return expert.gated() ? 2 * expert.width() : expert.width();
  }
}
