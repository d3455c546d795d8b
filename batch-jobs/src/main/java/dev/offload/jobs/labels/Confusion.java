package dev.offload.jobs.labels;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How often which label was given to rows of which right (gold) label. Gold labels that are not
 * among the labels of the job count as one more, {@value #OTHER}, which no row can be given.
 */
public final class Confusion {
  /** What stands for all gold labels that the job does not know. */
  public static final String OTHER = "(other)";

  private final List<String> labels;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final long[][] counts;
  private final long[] withoutGold;

  /**
   * @param labels of the job
   */
  public Confusion(List<String> labels) {
    this.labels = List.copyOf(labels);
    for (String label : labels) {
      numbers.put(label, numbers.size());
    }
    this.counts = new long[labels.size() + 1][labels.size()];
    this.withoutGold = new long[labels.size()];
  }

  /** Counts the lines of an output. */
  public static Confusion read(Path lines, List<String> labels) throws IOException {
    Confusion confusion = new Confusion(labels);
    ObjectReader json = new JsonMapper().reader();
    try (BufferedReader reader = Files.newBufferedReader(lines)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        JsonNode row = json.readTree(line);
        JsonNode gold = row.get("gold");
        if (gold == null) {
          confusion.add(row.get("label").textValue());
        } else {
          confusion.add(gold.textValue(), row.get("label").textValue());
        }
      }
    }
    return confusion;
  }

  /** Counts a row whose right label is not known. */
  public void add(String given) {
    withoutGold[number(given)]++;
  }

  /** Counts a row. */
  public void add(String gold, String given) {
    counts[numbers.getOrDefault(gold, labels.size())][number(given)]++;
  }

  private int number(String given) {
    Integer number = numbers.get(given);
    if (number == null) {
      throw new IllegalArgumentException("'" + given + "' is not among the labels " + labels);
    }
    return number;
  }

  /** The labels of the job. */
  public List<String> labels() {
    return labels;
  }

  /** Rows of a gold label that were given a label; {@code gold} may be the number of labels. */
  public long count(int gold, int given) {
    return counts[gold][given];
  }

  /** Rows that were given a label, whether or not their right one is known. */
  public long given(int label) {
    return withoutGold[label] + compared(label);
  }

  private long compared(int given) {
    long sum = 0;
    for (long[] row : counts) {
      sum += row[given];
    }
    return sum;
  }

  /** Rows of a gold label; {@code gold} may be the number of labels. */
  public long ofGold(int gold) {
    long sum = 0;
    for (long count : counts[gold]) {
      sum += count;
    }
    return sum;
  }

  /** Rows whose right label is known. */
  public long compared() {
    long sum = 0;
    for (int gold = 0; gold < counts.length; gold++) {
      sum += ofGold(gold);
    }
    return sum;
  }

  /** Rows whose right label is not known. */
  public long withoutGold() {
    long sum = 0;
    for (long count : withoutGold) {
      sum += count;
    }
    return sum;
  }

  /** Rows whose right label is not among the labels of the job. */
  public long unknownGold() {
    return ofGold(labels.size());
  }

  /** Rows that were given their right label. */
  public long right() {
    long sum = 0;
    for (int label = 0; label < labels.size(); label++) {
      sum += counts[label][label];
    }
    return sum;
  }

  /** Share of the compared rows that are right; empty if there are none. */
  public OptionalDouble accuracy() {
    return share(right(), compared());
  }

  /** Share of the compared rows given a label that are right; empty if none was given it. */
  public OptionalDouble precision(int label) {
    return share(counts[label][label], compared(label));
  }

  /** Share of the rows of a gold label that were given it; empty if there are none. */
  public OptionalDouble recall(int label) {
    return share(counts[label][label], ofGold(label));
  }

  private static OptionalDouble share(long part, long whole) {
    return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
  }
}
