package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.VectorOperators.EXP;
import static jdk.incubator.vector.VectorOperators.F2D;
import static jdk.incubator.vector.VectorOperators.LE;

import dev.offload.backends.api.Indices;
import dev.offload.backends.api.LargestNumbers;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Optional;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The largest numbers of rows, which are read where they lie: they may be long. */
final class LargestKernel {
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long ALL_LANES = -1L >>> (Long.SIZE - Lanes.COUNT);

  private LargestKernel() {}

  static void find(
      WorkerPool pool,
      MatrixRows x,
      MatrixRows largest,
      Indices columns,
      Optional<MatrixRows> sums) {
    int count = largest.columns();
    RowLoop.run(
        pool,
        x.rows(),
        x.columns(),
        (first, end) -> {
          LargestNumbers best = new LargestNumbers(count);
          float[] values = RowLoop.scratch(count);
          int[] places = new int[count];
          float[] sum = RowLoop.scratch(1);
          for (int row = first; row < end; row++) {
            collect(x, row, count, best);
            best.sort();
            for (int rank = 0; rank < count; rank++) {
              values[rank] = best.number(rank);
              places[rank] = best.column(rank);
            }
            largest.store(values, row);
            CpuOperands.store(places, count, columns, row * count);
            if (sums.isPresent()) {
              sum[0] = sumOfExponentials(x, row, values[0]);
              sums.get().store(sum, row);
            }
          }
        });
  }

  private static void collect(MatrixRows x, int row, int first, LargestNumbers best) {
    MemorySegment segment = x.segment();
    long base = x.rowOffset(row);
    int columns = x.columns();
    best.clear();
    for (int i = 0; i < first; i++) {
      best.add(segment.get(JAVA_FLOAT, base + 4L * i), i);
    }
    best.heapify();
    int vectorEnd = first + Lanes.FLOATS.loopBound(columns - first);
    for (int i = first; i < vectorEnd; i += Lanes.COUNT) {
      // NaN is not less or equal.
      long hits = ~load(segment, base, i).compare(LE, best.least()).toLong() & ALL_LANES;
      for (; hits != 0; hits &= hits - 1) {
        int column = i + Long.numberOfTrailingZeros(hits);
        best.offer(segment.get(JAVA_FLOAT, base + 4L * column), column);
      }
    }
    for (int column = vectorEnd; column < columns; column++) {
      best.offer(segment.get(JAVA_FLOAT, base + 4L * column), column);
    }
  }

  /** In double, and lane by lane in a fixed order. */
  private static float sumOfExponentials(MatrixRows x, int row, float largest) {
    MemorySegment segment = x.segment();
    long base = x.rowOffset(row);
    int vectorEnd = Lanes.FLOATS.loopBound(x.columns());
    DoubleVector low = DoubleVector.zero(DOUBLES);
    DoubleVector high = low;
    for (int i = 0; i < vectorEnd; i += Lanes.COUNT) {
      FloatVector v = load(segment, base, i);
      low = low.add(part(v, 0).sub(largest).lanewise(EXP));
      high = high.add(part(v, 1).sub(largest).lanewise(EXP));
    }
    DoubleVector both = low.add(high);
    double sum = 0;
    for (int lane = 0; lane < both.length(); lane++) {
      sum += both.lane(lane);
    }
    for (int column = vectorEnd; column < x.columns(); column++) {
      sum += Math.exp((double) segment.get(JAVA_FLOAT, base + 4L * column) - largest);
    }
    return (float) sum;
  }

  private static DoubleVector part(FloatVector v, int part) {
    return (DoubleVector) v.convertShape(F2D, DOUBLES, part);
  }

  private static FloatVector load(MemorySegment segment, long base, int column) {
    return FloatVector.fromMemorySegment(Lanes.FLOATS, segment, base + 4L * column, ORDER);
  }
}
