package dev.offload.jobs.plan;

/** Predicts what a published point measured. */
interface Predictor {
  /** Its field in JSON. */
  String field();

  /** The head of its column. */
  String title();

  /** What it says of a point. */
  Outcome predict(PublishedPoint point);
}
