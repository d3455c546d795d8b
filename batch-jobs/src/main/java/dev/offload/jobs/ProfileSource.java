package dev.offload.jobs;

import dev.offload.planner.hardware.HardwareProfile;
import java.io.IOException;

/** Says what the machine can do, perhaps by measuring it. */
@FunctionalInterface
interface ProfileSource {

  /**
   * What it can do now.
   *
   * @param readsFiles whether the disk matters
   */
  HardwareProfile get(boolean readsFiles) throws IOException, RefusedException;
}
