package dev.offload.backends.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts arithmetic and the bytes it needs from memory; JMH divides by the time. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Arithmetic {
  /** 10⁹ multiplications and additions: its rate is in GFLOP/s. */
  public double gflop;

  /** Units of 10⁹ bytes: its rate is in GB/s. */
  public double gigabytes;

  void add(double flop, double bytes) {
    gflop += flop / 1e9;
    gigabytes += bytes / 1e9;
  }
}
