package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The forms that the rows of a job may be written in.
 *
 * @param <R> what rows are read as
 */
interface RowForms<R extends Incoming> {
  /** The form an object is meant in. */
  RowFormat formatOf(ObjectNode object);

  /** Reads rows of a form. */
  RowParser<R> parser(RowFormat format);
}
