package dev.offload.planner.profile;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How many cores this process has kept busy since some time, the system's work for it included. The
 * clock is coarse: hundredths of a second.
 */
public final class BusyCores {
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final long beginCpu = system.getProcessCpuTime();
  private final long begin = System.nanoTime();

  private BusyCores() {}

  /** Begins to count. */
  public static BusyCores since() {
    return new BusyCores();
  }

  /** Cores busy on average until now. */
  public double untilNow() {
    long cpu = system.getProcessCpuTime() - beginCpu;
    return (double) cpu / Math.max(1, System.nanoTime() - begin);
  }
}
