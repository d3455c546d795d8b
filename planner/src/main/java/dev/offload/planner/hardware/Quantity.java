package dev.offload.planner.hardware;

import dev.offload.tensors.ByteSize;
import java.util.Locale;

/** Kinds of figures, and how people read them. */
public enum Quantity {
  BYTES {
    @Override
    public String format(double value) {
      return ByteSize.format((long) value);
    }
  },
  BYTES_PER_SECOND {
    @Override
    public String format(double value) {
      return digits(value / 1e9) + " GB/s";
    }
  },
  FLOPS {
    @Override
    public String format(double value) {
      return value < 1e12 ? digits(value / 1e9) + " GFLOP/s" : digits(value / 1e12) + " TFLOP/s";
    }
  },
  SECONDS {
    @Override
    public String format(double value) {
      if (value < 1e-3) {
        return digits(value * 1e6) + " us";
      }
      return value < 1 ? digits(value * 1e3) + " ms" : digits(value) + " s";
    }
  },
  COUNT {
    @Override
    public String format(double value) {
      return digits(value);
    }
  };

  /** A value in the base unit, with its unit. */
  public abstract String format(double value);

  /** Three digits, or all before the point. */
  public static String digits(double value) {
    double size = Math.abs(value);
    int decimals = size >= 99.95 || size == Math.rint(size) ? 0 : size >= 9.995 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
