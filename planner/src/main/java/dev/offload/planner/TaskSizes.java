package dev.offload.planner;

import dev.offload.planner.PassShape.MicroBatch;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.Layer;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.Rope;
import dev.offload.tensors.weights.UnitId;

/**
 * Bytes and floating-point operations of tasks. Copies count what crosses; computing counts
 * weights, cache and the rows of tasks that do nothing but move rows. Operations are those of
 * matrix products, 2 per weight and row, and of attention, 2 per element of a key and of a value
 * and query head.
 */
final class TaskSizes {
  private static final long F32 = DType.F32.bytes();
  private static final long INDEX = 4;

  private final ModelConfig model;
  private final DType weights;
  private final DType rows;
  private final long inputRowBytes;

  /**
   * @param weights format of the matrices
   * @param rows format in which rows enter a matrix product
   */
  TaskSizes(ModelConfig model, DType weights, DType rows) {
    this.model = model;
    this.weights = weights;
    this.rows = rows;
    int positions = model.embedding().positionRows() > 0 ? model.hiddenSize() : 0;
    int rotations =
        model.layers().stream()
            .map(layer -> layer.attention().rope())
            .distinct()
            .mapToInt(Rope::dimensions)
            .sum();
    this.inputRowBytes = F32 * (model.embedding().width() + positions + rotations) + INDEX;
  }

  /** Bytes of a task of a pass. */
  long bytes(Work work, PassShape pass) {
    return switch (work) {
      case Work.UploadBatch of -> tokens(pass, of.microBatch()) * inputRowBytes;
      case Work.Embed of ->
          tokens(pass, of.microBatch()) * F32 * (model.embedding().width() + model.hiddenSize())
              + of.weights().map(each -> each.granule().imageBytes()).orElse(0L);
      case Work.ReadWeights of -> of.granule().storedBytes();
      case Work.CopyWeights of -> of.granule().storedBytes();
      case Work.ExpandWeights of -> of.granule().storedBytes() + of.granule().imageBytes();
      case Work.LoadKv of -> pass.microBatches().get(of.microBatch()).kvBytes();
      case Work.StoreKv of -> pass.microBatches().get(of.microBatch()).kvWrittenBytes();
      case Work.Attention of ->
          of.weights().granule().imageBytes() + pass.microBatches().get(of.microBatch()).kvBytes();
      case Work.Project of -> share(of.weights().granule(), projectionShare(of.layer()));
      case Work.DownloadQueries of ->
          tokens(pass, of.microBatch()) * F32 * attention(of.layer()).qkvWidth();
      case Work.AttendOnHost of -> pass.microBatches().get(of.microBatch()).kvBytes();
      case Work.UploadAttended of ->
          tokens(pass, of.microBatch()) * rows.bytes() * attention(of.layer()).attendedWidth();
      case Work.ProjectOutput of -> share(of.weights().granule(), 1 - projectionShare(of.layer()));
      case Work.FeedForward of -> of.weights().granule().imageBytes();
      case Work.Route of -> of.weights().granule().imageBytes();
      case Work.SharedExpert of -> of.weights().granule().imageBytes();
      case Work.DownloadRouting of -> INDEX * pairs(pass, of.layer());
      case Work.Regroup of -> 3 * INDEX * pairs(pass, of.layer());
      case Work.UploadRegrouping of -> 2 * INDEX * pairs(pass, of.layer());
      case Work.Collect of -> 2 * pairs(pass, of.layer()) * rows.bytes() * model.hiddenSize();
      case Work.Experts of -> of.weights().granule().imageBytes();
      case Work.DownloadRows of -> hostRows(pass, of.experts()) * rows.bytes() * model.hiddenSize();
      case Work.ExpertsOnHost of -> of.experts().imageBytes();
      case Work.UploadRows of -> hostRows(pass, of.experts()) * F32 * model.hiddenSize();
      case Work.Combine of ->
          (pairs(pass, of.layer()) + 2L * pass.tokens()) * F32 * model.hiddenSize();
      case Work.Head of ->
          pass.logitsRows() * (2 * F32 + rows.bytes()) * model.hiddenSize()
              + of.weights().map(each -> each.granule().imageBytes()).orElse(0L);
      case Work.Output of -> of.weights().granule().imageBytes();
      case Work.BestLogits _ -> pass.bestRows() * F32 * model.vocabularySize();
      case Work.DownloadLogits _ ->
          pass.wholeRows() * F32 * model.vocabularySize()
              + pass.bestRows() * F32 * pass.bestNumbers();
    };
  }

  /** Operations of a task of a pass. */
  long flops(Work work, PassShape pass) {
    return switch (work) {
      case Work.Embed of ->
          of.weights().map(each -> product(each, tokens(pass, of.microBatch()))).orElse(0L);
      case Work.Attention of ->
          product(of.weights(), tokens(pass, of.microBatch())) + attention(of, pass);
      case Work.Project of ->
          (long)
              (product(of.weights(), tokens(pass, of.microBatch())) * projectionShare(of.layer()));
      case Work.AttendOnHost of -> attention(of.layer(), pass.microBatches().get(of.microBatch()));
      case Work.ProjectOutput of ->
          (long)
              (product(of.weights(), tokens(pass, of.microBatch()))
                  * (1 - projectionShare(of.layer())));
      case Work.FeedForward of -> product(of.weights(), tokens(pass, of.microBatch()));
      case Work.Route of -> product(of.weights(), pass.tokens());
      case Work.SharedExpert of -> product(of.weights(), pass.tokens());
      case Work.Experts of -> product(of.weights(), pairs(pass, of.layer())) / experts(of.layer());
      case Work.ExpertsOnHost of ->
          product(of.experts(), pairs(pass, of.experts().layer())) / experts(of.experts().layer());
      case Work.Head of -> of.weights().map(each -> projectOut(each, pass)).orElse(0L);
      case Work.Output of -> product(of.weights(), pass.logitsRows());
      case Work.UploadBatch _,
          Work.ReadWeights _,
          Work.CopyWeights _,
          Work.ExpandWeights _,
          Work.LoadKv _,
          Work.StoreKv _,
          Work.DownloadQueries _,
          Work.UploadAttended _,
          Work.DownloadRouting _,
          Work.Regroup _,
          Work.UploadRegrouping _,
          Work.Collect _,
          Work.DownloadRows _,
          Work.UploadRows _,
          Work.Combine _,
          Work.BestLogits _,
          Work.DownloadLogits _ ->
          0;
    };
  }

  private long product(Work.Located located, long rows) {
    return product(located.granule(), rows);
  }

  private long product(Granule granule, long rows) {
    return 2 * rows * (granule.imageBytes() / weights.bytes());
  }

  private long projectOut(Work.Located located, PassShape pass) {
    boolean projects = model.embedding().width() != model.hiddenSize();
    return projects && located.granule().kind() == UnitId.Kind.HEAD
        ? product(located, pass.logitsRows())
        : 0;
  }

  private long attention(Work.Attention work, PassShape pass) {
    return attention(work.layer(), pass.microBatches().get(work.microBatch()));
  }

  private long attention(int layer, MicroBatch batch) {
    Attention of = attention(layer);
    return 2
        * (keys(of, batch.decodeKeys(), batch.decoding())
            + keys(of, batch.promptPairs(), batch.tokens() - batch.decoding()))
        * of.heads()
        * (of.headDim() + of.valueDim());
  }

  /** No more of them than the window lets each row see. */
  private static long keys(Attention attention, long keys, long rows) {
    return attention.window() == 0 ? keys : Math.min(keys, rows * attention.window());
  }

  /** Share of an attention unit's weights that makes queries, keys and values. */
  private double projectionShare(int layer) {
    Attention of = attention(layer);
    double before = of.weightsBefore(model.hiddenSize());
    return before / (before + of.weightsBehind(model.hiddenSize()));
  }

  private static long share(Granule granule, double share) {
    return (long) (share * granule.imageBytes());
  }

  private Attention attention(int layer) {
    return model.layers().get(layer).attention();
  }

  private static long tokens(PassShape pass, int microBatch) {
    return pass.microBatches().get(microBatch).tokens();
  }

  /** Rows of all experts of a layer together. */
  private long pairs(PassShape pass, int layer) {
    return (long) pass.tokens() * mixture(layer).expertsPerToken();
  }

  /** Rows of the experts of a granule, if each of its layer is chosen as often. */
  private long hostRows(PassShape pass, Granule granule) {
    return pairs(pass, granule.layer()) * granule.units().size() / experts(granule.layer());
  }

  private int experts(int layer) {
    return mixture(layer).experts();
  }

  private MixtureOfExperts mixture(int layer) {
    Layer of = model.layers().get(layer);
    if (of.feedForward() instanceof MixtureOfExperts mixture) {
      return mixture;
    }
    throw new IllegalArgumentException("layer " + layer + " has no experts to choose from");
  }
}
