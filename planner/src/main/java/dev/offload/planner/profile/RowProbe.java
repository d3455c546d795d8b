package dev.offload.planner.profile;

import dev.offload.backends.api.Activation;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.DType;

/** Operations without weights. Owns its buffers. Not thread-safe. */
final class RowProbe implements AutoCloseable {
  /** Columns of what an activation gives. */
  private static final int ACTIVATED = 2048;

  private final Workbench bench;
  private final int rows;
  private final Matrix small;
  private final Matrix wide;
  private final Matrix activated;

  /**
   * @param rows that are activated
   */
  RowProbe(Device device, int rows) {
    this.rows = rows;
    bench = new Workbench(device);
    try {
      small = bench.random(DType.F32, 1, 16);
      wide = bench.random(DType.F32, rows, 2 * ACTIVATED);
      activated = bench.random(DType.F32, rows, ACTIVATED);
    } catch (RuntimeException | Error e) {
      bench.close();
      throw e;
    }
  }

  Stream stream() {
    return bench.stream();
  }

  /** The smallest operation. */
  void launch() {
    bench.operations().add(bench.stream(), small, small);
  }

  /** An activation with a gate, as between the matrices of a feed-forward module. */
  void activate() {
    bench.operations().activate(bench.stream(), wide, Activation.SILU, true, activated);
  }

  /** What an activation reads and writes. */
  double activatedBytes() {
    return 3.0 * DType.F32.bytes() * rows * ACTIVATED;
  }

  /** Of an activation that is waited for, all seconds but its own. */
  double secondsLost() {
    long begin = System.nanoTime();
    Event begun = bench.stream().record();
    activate();
    Event done = bench.stream().record();
    done.synchronize();
    long own = done.reachedNanos() - begun.reachedNanos();
    return Math.max(0, System.nanoTime() - begin - own) / 1e9;
  }

  @Override
  public void close() {
    bench.close();
  }
}
