package dev.offload.jobs;

import dev.offload.engine.EngineModel;
import dev.offload.planner.PassShape;
import dev.offload.planner.Plan;
import dev.offload.planner.hardware.HardwareProfile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Says what the machine can do, perhaps by measuring it. */
@FunctionalInterface
interface ProfileSource extends AutoCloseable {

  /** Opens one for passes. */
  @FunctionalInterface
  interface ForPasses {
    /**
     * One that knows the passes.
     *
     * @param model whose weights are multiplied
     * @param plan of the run
     * @param passes what the run's passes have to do
     */
    ProfileSource open(EngineModel model, Plan plan, List<PassShape> passes)
        throws IOException, RefusedException;
  }

  /**
   * How reading went.
   *
   * @param cores of the host that were busy with it
   */
  record DiskRead(double bytesPerSecond, double cores) {}

  /** Reads the files that a run reads, with nothing else going on. */
  @FunctionalInterface
  interface DiskReads {
    /** By so many readers at a time. */
    DiskRead by(int readers) throws IOException;
  }

  /**
   * What it can do now.
   *
   * @param disk if it matters
   */
  HardwareProfile get(Optional<DiskReads> disk) throws IOException, RefusedException;

  /** Gives back what measuring took. */
  @Override
  default void close() {}
}
