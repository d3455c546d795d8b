package dev.offload.tensors;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Amounts of memory as people write them: {@code 16GiB}, {@code 512 MiB}, {@code 1.5GB}, {@code
 * 4096}.
 */
public final class ByteSize {
  private static final Pattern FORM =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([kmgt]?)(i?)b?", Pattern.CASE_INSENSITIVE);

  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB");

  private ByteSize() {}

  /**
   * Parses an amount; units are decimal (kB, MB, GB, TB) or binary (KiB, MiB, GiB, TiB), none means
   * bytes.
   *
   * @throws IllegalArgumentException if the text is no such amount or exceeds 2^63-1 bytes
   */
  public static long parse(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (!form.matches() || (form.group(2).isEmpty() && !form.group(3).isEmpty())) {
      throw new IllegalArgumentException(
          "'" + text + "' is not an amount of memory; write for example 16GiB, 512MiB or 4096");
    }
    int power = "kmgt".indexOf(form.group(2).toLowerCase(Locale.ROOT)) + 1;
    double unit =
        form.group(2).isEmpty() ? 1 : Math.pow(form.group(3).isEmpty() ? 1000 : 1024, power);
    double bytes = Double.parseDouble(form.group(1)) * unit;
    if (bytes >= Long.MAX_VALUE) {
      throw new IllegalArgumentException("'" + text + "' is more than 2^63-1 bytes");
    }
    return (long) bytes;
  }

  /** Formats an amount with a binary unit and three digits or so: {@code 1.77 GiB}. */
  public static String format(long bytes) {
    return format(bytes, RoundingMode.HALF_UP);
  }

  /** As {@link #format}, rounded up: what is read back is never less. */
  public static String formatUp(long bytes) {
    return format(bytes, RoundingMode.CEILING);
  }

  private static String format(long bytes, RoundingMode rounding) {
    int power = bytes < 1024 ? 0 : (63 - Long.numberOfLeadingZeros(bytes)) / 10;
    if (power == 0) {
      return bytes + " B";
    }
    BigDecimal unit = BigDecimal.valueOf(1L << (10 * power));
    return BigDecimal.valueOf(bytes).divide(unit, 2, rounding) + " " + UNITS.get(power);
  }
}
