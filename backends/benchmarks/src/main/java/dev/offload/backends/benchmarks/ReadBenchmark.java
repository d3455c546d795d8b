package dev.offload.backends.benchmarks;

import dev.offload.backends.api.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * How fast the processor reads pinned memory with nothing else to do: the ceiling of decoding on
 * devices that compute there. Counts each byte once.
 */
public class ReadBenchmark extends DeviceBenchmark {
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Memory that a sweep reads. */
  @Param("256")
  public int mebibytes;

  private PinnedBuffer memory;
  private ExecutorService readers;
  private List<Callable<Long>> parts;

  /** Fills the memory and divides it among the threads. */
  @Setup
  public void fill(OpenDevice open) {
    memory = open.allocatePinned("what is read", mebibytes * MEBIBYTE);
    memory.segment().fill((byte) 1);
    int threads = open.computingThreads();
    readers = Executors.newFixedThreadPool(threads, Thread.ofPlatform().name("reader").factory());
    long part = memory.bytes() / threads / MEBIBYTE * MEBIBYTE;
    parts =
        IntStream.range(0, threads)
            .<Callable<Long>>mapToObj(
                i -> {
                  long end = i == threads - 1 ? memory.bytes() : (i + 1) * part;
                  return () -> read(memory.segment(), i * part, end);
                })
            .toList();
  }

  /** Lets the threads go. */
  @TearDown
  public void stop() {
    readers.close();
  }

  /** All of it, by all threads. */
  @Benchmark
  public long read(Bytes counter) throws Exception {
    long sum = 0;
    for (Future<Long> part : readers.invokeAll(parts)) {
      sum += part.get();
    }
    counter.add((double) memory.bytes());
    return sum;
  }

  /** The memory is whole mebibytes, so that no numbers are left. */
  private static long read(MemorySegment memory, long from, long to) {
    int step = LONGS.vectorByteSize();
    LongVector a = LongVector.zero(LONGS);
    LongVector b = a;
    LongVector c = a;
    LongVector d = a;
    for (long at = from; at < to; at += 4L * step) {
      a = a.add(LongVector.fromMemorySegment(LONGS, memory, at, ORDER));
      b = b.add(LongVector.fromMemorySegment(LONGS, memory, at + step, ORDER));
      c = c.add(LongVector.fromMemorySegment(LONGS, memory, at + 2L * step, ORDER));
      d = d.add(LongVector.fromMemorySegment(LONGS, memory, at + 3L * step, ORDER));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }
}
