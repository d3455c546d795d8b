package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Turns the fields of a row into a checked row of one format. */
interface RowParser<R extends Incoming> {
  /**
   * The checked row.
   *
   * @param key where it stands and what it is called
   * @throws RowException naming the field that is wrong
   */
  R parse(ObjectNode object, Row.Key key) throws RowException;

  /** The field that holds the row's id. */
  String idField();
}
