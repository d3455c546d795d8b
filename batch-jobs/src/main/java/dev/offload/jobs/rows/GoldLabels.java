package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The right labels of rows by their ids, from a file of their own, which is held in memory. */
public final class GoldLabels {
  private final Map<String, String> labels;

  private GoldLabels(Map<String, String> labels) {
    this.labels = labels;
  }

  /**
   * Reads all of a file.
   *
   * @param field holds the right label
   * @throws RowException naming the first row that has no id or no label, or whose id was given
   *     before
   */
  public static GoldLabels read(RowSource source, String field) throws IOException, RowException {
    Map<String, String> labels = new HashMap<>();
    Map<String, String> spellings = new HashMap<>();
    for (Optional<RawRow> raw = source.next(); raw.isPresent(); raw = source.next()) {
      try {
        ObjectNode row = raw.get().fields();
        String id = required(row, "id");
        String label = required(row, field);
        if (labels.putIfAbsent(id, spellings.computeIfAbsent(label, same -> same)) != null) {
          throw new RowException("id " + id + " was given before");
        }
      } catch (RowException e) {
        throw new RowException("line " + raw.get().line() + ": " + e.getMessage(), e);
      }
    }
    return new GoldLabels(labels);
  }

  private static String required(ObjectNode row, String name) throws RowException {
    JsonNode value = row.get(name);
    if (value == null || value.isNull()) {
      throw new RowException("field " + name + " is missing");
    }
    return Fields.scalar(name, value);
  }

  /** The right label of a row. Ids are compared as texts: CSV has no others. */
  public Optional<String> of(JsonNode id) {
    return Optional.ofNullable(labels.get(id.asText()));
  }
}
