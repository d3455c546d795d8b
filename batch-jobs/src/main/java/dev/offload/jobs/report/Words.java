package dev.offload.jobs.report;

import dev.offload.tensors.ByteSize;
import java.util.Locale;
import java.util.OptionalDouble;

/** Numbers as people read them; the same everywhere, whatever the system's language. */
final class Words {
  private static final double MINUTE = 60;
  private static final double HOUR = 3600;

  private Words() {}

  /** Such as {@code 12,345}. */
  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** A number and what it counts, such as {@code 1 row}, {@code 12,345 rows}. */
  static String count(long number, String what) {
    return count(number) + " " + what + (number == 1 ? "" : "s");
  }

  /** With three digits or so, such as {@code 0.35}, {@code 8.2}, {@code 12,345}. */
  static String number(double value) {
    String format = value >= 100 || value == 0 ? "%,.0f" : value >= 1 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, format, value).replaceFirst("\\.0+$", "");
  }

  /** Such as {@code 97 %}. */
  static String percent(double share) {
    double percent = 100 * share;
    boolean fine = percent > 0 && percent < 10;
    return String.format(Locale.ROOT, fine ? "%.1f %%" : "%.0f %%", percent);
  }

  /** As one digit behind the point, or a dash. */
  static String percent(OptionalDouble share) {
    return share.isEmpty() ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * share.getAsDouble());
  }

  /** Such as {@code 31 ms}, {@code 3.4 s}, {@code 2 min 5 s}, {@code 3 h 12 min}. */
  static String time(double seconds) {
    if (seconds < 1) {
      return number(seconds * 1000) + " ms";
    }
    if (seconds < MINUTE) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < HOUR
        ? "%d min %d s".formatted(whole / 60, whole % 60)
        : "%s h %d min".formatted(count(whole / 3600), whole % 3600 / 60);
  }

  /** Such as {@code 1.77 GiB}. */
  static String bytes(long bytes) {
    return ByteSize.format(bytes);
  }
}
