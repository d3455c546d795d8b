package dev.offload.backends.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How all benchmarks are measured. One call of a benchmark is a sweep: it enqueues an operation on
 * each of a number of operands and waits once, as the engine does with the layers of a model. What
 * a sweep did is counted in {@link Bytes} or {@link Arithmetic}, whose rates are the result.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public abstract class DeviceBenchmark {
  static final long MEBIBYTE = 1L << 20;

  /** How many operands of a size it takes to fill so much memory, at least 1. */
  static int countToFill(int mebibytes, long operandBytes) {
    return Math.toIntExact(Math.max(1, Math.ceilDiv(mebibytes * MEBIBYTE, operandBytes)));
  }
}
