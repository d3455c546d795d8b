package dev.offload.backends.cpu;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Packs whole strips of 16-bit weights, see {@link PanelLayout}. A block of {@link Lanes#COUNT}
 * inputs is a square matrix of ints, one row for each pair of columns, and is transposed in log2 of
 * that many steps: in each, rows some distance apart exchange the lanes that are as far apart. The
 * first step takes the rows from where they lie, the last one writes them where they belong.
 */
final class StripPacking {
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private static final Exchange HALVES = Exchange.of(Lanes.COUNT / 2);
  private static final Exchange QUARTERS = Exchange.of(Lanes.COUNT / 4);
  private static final Exchange EIGHTHS = Exchange.of(Math.max(1, Lanes.COUNT / 8));
  private static final Exchange NEIGHBOURS = Exchange.of(1);

  private final int[] block = new int[Lanes.COUNT * Lanes.COUNT];
  private final MemorySegment from;
  private final MemorySegment to;
  private final long rowBytes;

  /**
   * @param from row-major, rows begin {@code rowBytes} apart
   * @throws UnsupportedOperationException if vectors have more than 16 or fewer than 4 ints
   */
  StripPacking(MemorySegment from, long rowBytes, MemorySegment to) {
    if (Lanes.COUNT < 4 || Lanes.COUNT > 16) {
      throw new UnsupportedOperationException(
          "weights cannot be packed for vectors of %d numbers; start Java with"
                  .formatted(Lanes.COUNT)
              + " -XX:MaxVectorSize=64");
    }
    this.from = from;
    this.rowBytes = rowBytes;
    this.to = to;
  }

  /**
   * Packs some inputs of {@link PanelLayout#STRIP} rows; returns how many, a multiple of {@link
   * Lanes#COUNT}: less than so many remain.
   */
  int pack(long fromOffset, int inputs, long toOffset) {
    int whole = Lanes.INTS.loopBound(inputs);
    for (int first = 0; first < whole; first += Lanes.COUNT) {
      packBlock(
          fromOffset + (long) first * Short.BYTES, toOffset + first * PanelLayout.STRIP_BYTES);
    }
    return whole;
  }

  private void packBlock(long fromOffset, long toOffset) {
    for (int row = 0; row < Lanes.COUNT / 2; row++) {
      IntVector a = pairs(fromOffset + row * rowBytes);
      IntVector b = pairs(fromOffset + (row + Lanes.COUNT / 2) * rowBytes);
      HALVES.first(a, b).intoArray(block, row * Lanes.COUNT);
      HALVES.second(a, b).intoArray(block, (row + Lanes.COUNT / 2) * Lanes.COUNT);
    }
    if (Lanes.COUNT >= 8) {
      exchange(QUARTERS, Lanes.COUNT / 4);
    }
    if (Lanes.COUNT >= 16) {
      exchange(EIGHTHS, Lanes.COUNT / 8);
    }
    for (int row = 0; row < Lanes.COUNT; row += 2) {
      IntVector a = load(row);
      IntVector b = load(row + 1);
      long target = toOffset + row * PanelLayout.STRIP_BYTES;
      NEIGHBOURS.first(a, b).intoMemorySegment(to, target, ORDER);
      NEIGHBOURS.second(a, b).intoMemorySegment(to, target + PanelLayout.STRIP_BYTES, ORDER);
    }
  }

  /** Weights of a column and of the one that is a vector apart, an int for each input. */
  private IntVector pairs(long offset) {
    return widened(offset).or(widened(offset + Lanes.COUNT * rowBytes).lanewise(LSHL, Short.SIZE));
  }

  private IntVector widened(long offset) {
    return (IntVector)
        ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset, ORDER)
            .convertShape(ZERO_EXTEND_S2I, Lanes.INTS, 0);
  }

  private void exchange(Exchange exchange, int distance) {
    for (int group = 0; group < Lanes.COUNT; group += 2 * distance) {
      for (int row = group; row < group + distance; row++) {
        IntVector a = load(row);
        IntVector b = load(row + distance);
        exchange.first(a, b).intoArray(block, row * Lanes.COUNT);
        exchange.second(a, b).intoArray(block, (row + distance) * Lanes.COUNT);
      }
    }
  }

  private IntVector load(int row) {
    return IntVector.fromArray(Lanes.INTS, block, row * Lanes.COUNT);
  }

  /**
   * Exchanges the upper lanes of one row with the lower ones of another, of each group of lanes.
   *
   * @param swapped lanes, with those of the other half of their group
   * @param upper lanes of each group
   */
  private record Exchange(VectorShuffle<Integer> swapped, VectorMask<Integer> upper) {
    static Exchange of(int distance) {
      long upper = 0;
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        upper |= (lane & distance) == 0 ? 0 : 1L << lane;
      }
      return new Exchange(
          VectorShuffle.fromOp(Lanes.INTS, lane -> lane ^ distance),
          VectorMask.fromLong(Lanes.INTS, upper));
    }

    IntVector first(IntVector a, IntVector b) {
      return a.blend(b.rearrange(swapped), upper);
    }

    IntVector second(IntVector a, IntVector b) {
      return a.rearrange(swapped).blend(b, upper);
    }
  }
}
