package dev.offload.tensors.model;

import dev.offload.tensors.DType;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How a published checkpoint packs the matrices of its linear layers. Only sizes are known of it:
 * such weights can be planned with, not read. Immutable.
 */
public final class Packing {
  /** Matches no name. */
  private static final Pattern NONE = Pattern.compile("(?!)");

  private final Format format;
  private final Pattern kept;

  /**
   * A packing.
   *
   * @param format the number format with its scales
   * @param kept modules that are stored as they are: parts of their names, where {@code *} stands
   *     for any one part, such as {@code lm_head} or {@code model.layers.*.self_attn}
   */
  Packing(Format format, List<String> kept) {
    this.format = format;
    this.kept =
        kept.isEmpty()
            ? NONE
            : Pattern.compile(
                "(?:.*\\.)?(?:%s)(?:\\..*)?"
                    .formatted(kept.stream().map(Packing::regex).collect(Collectors.joining("|"))));
  }

  private static String regex(String name) {
    return Pattern.quote(name).replace("*", "\\E[^.]*\\Q");
  }

  /** The number format with its scales. */
  public Format format() {
    return format;
  }

  /** Whether a module is stored as it is because its name says so. */
  public boolean keeps(String module) {
    return kept.matcher(module).matches();
  }

  /** A number format whose scales lie in tensors of their own. */
  public sealed interface Format permits BlockFp8, Mxfp4, Groups {
    /** The {@code quant_method} it is called in config.json. */
    String method();

    /** Whether only matrices of routed experts are packed. */
    default boolean expertsOnly() {
      return false;
    }

    /**
     * Bytes of a matrix with its scales.
     *
     * @param stored format of what is not packed
     */
    long bytes(int rows, int columns, DType stored);
  }

  /**
   * fp8: one byte a number, one F32 scale per block.
   *
   * @param blockRows rows of a block; 0 if a matrix has one scale
   * @param blockColumns columns of a block; 0 if a matrix has one scale
   */
  public record BlockFp8(int blockRows, int blockColumns) implements Format {
    @Override
    public String method() {
      return "fp8";
    }

    @Override
    public long bytes(int rows, int columns, DType stored) {
      long scales =
          blockRows == 0
              ? 1
              : (long) Math.ceilDiv(rows, blockRows) * Math.ceilDiv(columns, blockColumns);
      return (long) rows * columns + Float.BYTES * scales;
    }
  }

  /** mxfp4: half a byte a number, one byte as scale of 32 in a row; routed experts only. */
  public record Mxfp4() implements Format {
    private static final int BLOCK = 32;

    @Override
    public String method() {
      return "mxfp4";
    }

    @Override
    public boolean expertsOnly() {
      return true;
    }

    @Override
    public long bytes(int rows, int columns, DType stored) {
      return (long) rows * Math.ceilDiv(columns, BLOCK) * (BLOCK / 2 + 1);
    }
  }

  /**
   * gptq and awq: whole numbers of a few bits, in 32-bit words; a scale and a zero point per group
   * of inputs and output.
   *
   * @param method which of them
   * @param bits of a number and of a zero point
   * @param groupSize inputs of a group; 0 if all belong to one
   * @param indexed each input names its group (gptq)
   */
  public record Groups(String method, int bits, int groupSize, boolean indexed) implements Format {
    @Override
    public long bytes(int rows, int columns, DType stored) {
      long groups = groupSize == 0 ? 1 : Math.ceilDiv(columns, groupSize);
      long words = ((long) rows * columns + groups * rows) * bits / Integer.SIZE;
      long indices = indexed ? columns : 0;
      return Integer.BYTES * (words + indices) + groups * rows * stored.bytes();
    }
  }
}
