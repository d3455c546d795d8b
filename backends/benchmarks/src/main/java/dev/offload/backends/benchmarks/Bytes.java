package dev.offload.backends.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts bytes; JMH divides by the time. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Bytes {
  /** Units of 10⁹ bytes: its rate is in GB/s. */
  public double gigabytes;

  void add(double bytes) {
    gigabytes += bytes / 1e9;
  }
}
