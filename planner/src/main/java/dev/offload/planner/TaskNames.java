package dev.offload.planner;

import dev.offload.tensors.weights.UnitId;
import java.util.Locale;

/** What tasks are called where people look at them. */
public final class TaskNames {
  private TaskNames() {}

  /** Such as {@code attention, layer 3, micro-batch 0}. */
  public static String of(Task task) {
    return switch (task.work()) {
      case Work.UploadBatch work -> "upload batch, micro-batch " + work.microBatch();
      case Work.Embed work -> "embed, micro-batch " + work.microBatch();
      case Work.ReadWeights work -> "read " + weights(work.granule());
      case Work.CopyWeights work -> "copy " + weights(work.granule());
      case Work.ExpandWeights work -> "expand " + weights(work.granule());
      case Work.LoadKv work -> place("load cache", work.layer(), work.microBatch());
      case Work.StoreKv work -> place("store cache", work.layer(), work.microBatch());
      case Work.Attention work -> place("attention", work.layer(), work.microBatch());
      case Work.Project work -> place("queries, keys, values", work.layer(), work.microBatch());
      case Work.DownloadQueries work -> place("download queries", work.layer(), work.microBatch());
      case Work.AttendOnHost work -> place("attend on the host", work.layer(), work.microBatch());
      case Work.UploadAttended work -> place("upload attended", work.layer(), work.microBatch());
      case Work.ProjectOutput work -> place("attention output", work.layer(), work.microBatch());
      case Work.FeedForward work -> place("feed-forward", work.layer(), work.microBatch());
      case Work.Route work -> place("route", work.layer());
      case Work.SharedExpert work -> place("shared expert", work.layer());
      case Work.DownloadRouting work -> place("download routing", work.layer());
      case Work.Regroup work -> place("regroup by expert", work.layer());
      case Work.UploadRegrouping work -> place("upload regrouping", work.layer());
      case Work.Collect work -> place("collect rows by expert", work.layer());
      case Work.Experts work -> weights(work.weights().granule());
      case Work.DownloadRows work ->
          place("download rows for experts of the host", work.experts().layer());
      case Work.ExpertsOnHost work -> weights(work.experts()) + ", on the host";
      case Work.UploadRows work ->
          place("upload results of experts of the host", work.experts().layer());
      case Work.Combine work -> place("combine experts", work.layer());
      case Work.Head _ -> "final norm";
      case Work.Output work -> weights(work.weights().granule());
      case Work.BestLogits _ -> "largest logits";
      case Work.DownloadLogits _ -> "download logits";
    };
  }

  private static String place(String what, int layer) {
    return what + ", layer " + layer;
  }

  private static String place(String what, int layer, int microBatch) {
    return what + ", layer " + layer + ", micro-batch " + microBatch;
  }

  /** Such as {@code experts 4 to 7, layer 3}. */
  private static String weights(Granule granule) {
    UnitId first = granule.units().getFirst();
    UnitId last = granule.units().getLast();
    return switch (granule.kind()) {
      case EXPERT ->
          place(
              first.equals(last)
                  ? "expert " + first.number()
                  : "experts " + first.number() + " to " + last.number(),
              granule.layer());
      case OUTPUT -> "output matrix from row " + first.number();
      case EMBEDDING, HEAD -> name(granule) + " weights";
      case ATTENTION, MLP, ROUTER, SHARED_EXPERT ->
          place(name(granule) + " weights", granule.layer());
    };
  }

  private static String name(Granule granule) {
    return granule.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
