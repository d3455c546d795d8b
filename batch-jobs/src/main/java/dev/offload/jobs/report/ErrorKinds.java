package dev.offload.jobs.report;

import dev.offload.jobs.report.JobReport.ErrorKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Counts refused rows by reason. Reasons that differ in quoted texts and numbers only are one kind;
 * beyond {@value #MOST} kinds the rest is counted together. Any thread may count.
 */
final class ErrorKinds {
  static final int MOST = 50;
  static final String OTHER = "other reasons";

  /** Longer reasons quote much of the row. */
  private static final int MOST_CHARACTERS = 400;

  private static final Pattern QUOTED =
      Pattern.compile("\"(?:[^\"\\\\]++|\\\\.)*+\"|(?<![\\p{L}\\d])'[^']*+'(?![\\p{L}\\d])");

  private static final Pattern NUMBER = Pattern.compile("\\d+(?:[.,]\\d+)*+");

  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  /** Counts a row. */
  synchronized void add(long line, String reason) {
    String kind = kind(reason);
    if (!kinds.containsKey(kind) && kinds.size() >= MOST) {
      kind = OTHER;
    }
    kinds.computeIfAbsent(kind, _ -> new Kind(line, shorten(reason))).count++;
  }

  /** A reason without what differs from row to row. */
  static String kind(String reason) {
    String unquoted = QUOTED.matcher(shorten(reason)).replaceAll("“…”");
    return NUMBER.matcher(unquoted).replaceAll("#");
  }

  private static String shorten(String reason) {
    if (reason.length() <= MOST_CHARACTERS) {
      return reason;
    }
    int cut = MOST_CHARACTERS;
    return reason.substring(0, Character.isHighSurrogate(reason.charAt(cut - 1)) ? cut - 1 : cut)
        + "…";
  }

  /** What was counted, the most frequent first. */
  synchronized List<ErrorKind> kinds() {
    List<ErrorKind> found = new ArrayList<>();
    kinds.forEach(
        (kind, rows) -> found.add(new ErrorKind(kind, rows.count, rows.firstLine, rows.example)));
    found.sort(Comparator.comparingLong(ErrorKind::count).reversed());
    return found;
  }

  private static final class Kind {
    private final long firstLine;
    private final String example;
    private long count;

    Kind(long firstLine, String example) {
      this.firstLine = firstLine;
      this.example = example;
    }
  }
}
