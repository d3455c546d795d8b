package dev.offload.jobs.rows;

/**
 * A row that cannot be worked on.
 *
 * @param key where it stands; the id is JSON null if it could not be read
 * @param format of the file, which is how the error is written
 * @param reason names field and value
 */
public record BadRow(Row.Key key, RowFormat format, String reason) implements Incoming {}
