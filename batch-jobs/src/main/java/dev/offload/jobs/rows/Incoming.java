package dev.offload.jobs.rows;

/** What a line of the input turned out to be. */
public sealed interface Incoming permits Row, BadRow {
  /** Where the row stands and what it is called. */
  Row.Key key();
}
