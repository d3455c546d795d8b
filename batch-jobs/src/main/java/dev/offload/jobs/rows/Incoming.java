package dev.offload.jobs.rows;

/** What a row of the input turned out to be. */
public sealed interface Incoming permits Row, LabelRow, BadRow {
  /** Where the row stands and what it is called. */
  Row.Key key();
}
