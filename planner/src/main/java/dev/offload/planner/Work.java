package dev.offload.planner;

import java.util.Optional;

/** What a task does. Layers, micro-batches and granules are numbers; values are the engine's. */
public sealed interface Work {

  /**
   * Where a granule is while it is used.
   *
   * @param granule which
   * @param ringOffset where in the ring it arrived; −1 if it lives on the device
   */
  record Located(Granule granule, long ringOffset) {}

  /** Token rows, positions and block tables of a micro-batch go to the device. */
  record UploadBatch(int microBatch) implements Work {}

  /** Looked-up rows become the residual stream. */
  record Embed(int microBatch, Optional<Located> weights) implements Work {}

  /** Reads a granule from files into host staging at the given offset. */
  record ReadWeights(Granule granule, long stagingOffset) implements Work {}

  /**
   * Copies a granule into the ring at the given offset, from its home in host memory or, if it
   * lives on disk, from host staging.
   */
  record CopyWeights(Granule granule, long stagingOffset, long ringOffset, long pass)
      implements Work {}

  /** Brings a granule from the form in which it crossed into the one the device computes with. */
  record ExpandWeights(Granule granule, long ringOffset) implements Work {}

  /** Copies the cache of one layer and micro-batch to a slot on the device. */
  record LoadKv(int layer, int microBatch, int slot) implements Work {}

  /** Copies the blocks that changed back to the host. */
  record StoreKv(int layer, int microBatch, int slot) implements Work {}

  /** A whole attention module with the cache on the device ({@code slot} −1: at home there). */
  record Attention(int layer, int microBatch, int slot, Located weights) implements Work {}

  /** The first part of an attention module: queries, keys and values. */
  record Project(int layer, int microBatch, Located weights) implements Work {}

  /** Queries, keys and values go to the host. */
  record DownloadQueries(int layer, int microBatch) implements Work {}

  /** The CPU appends to the cache and attends to it. */
  record AttendOnHost(int layer, int microBatch) implements Work {}

  /** What the CPU computed goes to the device. */
  record UploadAttended(int layer, int microBatch) implements Work {}

  /** The last part of an attention module: the output projection. */
  record ProjectOutput(int layer, int microBatch, Located weights) implements Work {}

  /** A dense feed-forward module. */
  record FeedForward(int layer, int microBatch, Located weights) implements Work {}

  /** Chooses experts for all tokens of the pass; the shared expert's gate too. */
  record Route(int layer, Located weights) implements Work {}

  /** The expert that every token takes. */
  record SharedExpert(int layer, Located weights) implements Work {}

  /** The choice goes to the host. */
  record DownloadRouting(int layer) implements Work {}

  /** Sorts the tokens of the pass by expert. */
  record Regroup(int layer) implements Work {}

  /** The sorted order goes to the device. */
  record UploadRegrouping(int layer) implements Work {}

  /** Collects token rows by expert. */
  record Collect(int layer) implements Work {}

  /** The experts of one granule, for all tokens of the pass that chose them. */
  record Experts(int layer, Located weights) implements Work {}

  /** Token rows that chose experts of a granule which the host computes go there. */
  record DownloadRows(Granule experts) implements Work {}

  /** The CPU computes the experts of a granule, for all tokens of the pass that chose them. */
  record ExpertsOnHost(Granule experts) implements Work {}

  /** What the CPU computed goes where the device has the other experts' results. */
  record UploadRows(Granule experts) implements Work {}

  /** Adds up what the experts of each token gave. */
  record Combine(int layer) implements Work {}

  /** Collects the rows that need logits: final norm and projection out of the hidden size. */
  record Head(Optional<Located> weights) implements Work {}

  /** Logits of those rows for the slices of the output matrix in one granule. */
  record Output(Located weights) implements Work {}

  /** Finds the largest logits of rows that the host needs no more of. */
  record BestLogits() implements Work {}

  /** Logits go to the host, whole rows or the largest. */
  record DownloadLogits() implements Work {}
}
