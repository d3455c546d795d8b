package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** One row as a file holds it, before anybody knows what it means. */
public interface RawRow {
  /** How many rows came before. */
  long row();

  /** Its line in a file of lines, otherwise its number among the rows; from 1. */
  long line();

  /**
   * Its fields.
   *
   * @throws RowException if the file holds no object there
   */
  ObjectNode fields() throws RowException;
}
