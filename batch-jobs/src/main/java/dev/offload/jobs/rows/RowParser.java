package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Turns the JSON object of a line into a row of one format. */
interface RowParser {
  /**
   * The checked row.
   *
   * @param key where it stands and what it is called
   * @throws RowException naming the field that is wrong
   */
  Row parse(ObjectNode object, Row.Key key) throws RowException;

  /** The field that holds the row's id. */
  String idField();
}
