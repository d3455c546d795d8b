package dev.offload.jobs.labels;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;

/**
 * What became of labels that a model wrote.
 *
 * @param rows that have a line
 * @param incomplete those of them that were cut off; they count as wrong
 * @param compared those whose right label is known
 * @param right those of them that have just this label
 */
public record WrittenLabels(long rows, long incomplete, long compared, long right) {

  /** Counts the lines of an output. */
  public static WrittenLabels read(Path lines) throws IOException {
    ObjectReader json = new JsonMapper().reader();
    long rows = 0;
    long incomplete = 0;
    long compared = 0;
    long right = 0;
    try (BufferedReader reader = Files.newBufferedReader(lines)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        JsonNode row = json.readTree(line);
        rows++;
        incomplete += row.has("incomplete") ? 1 : 0;
        compared += row.has("gold") ? 1 : 0;
        right += row.has("gold") && row.get("gold").equals(row.get("label")) ? 1 : 0;
      }
    }
    return new WrittenLabels(rows, incomplete, compared, right);
  }

  /** Share of the compared rows that are right; empty if there are none. */
  public OptionalDouble accuracy() {
    return compared == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) right / compared);
  }

  /** The accuracy as a line to print. */
  public String accuracyLine() {
    String line =
        "accuracy %s: %d of %d rows".formatted(LabelSummary.percent(accuracy()), right, compared);
    return compared == rows
        ? line
        : line + "; %d rows have no gold label and are not counted".formatted(rows - compared);
  }
}
