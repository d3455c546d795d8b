package dev.offload.jobs;

import dev.offload.backends.api.Device;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineOptions;
import dev.offload.jobs.report.JobReport.Homes;
import dev.offload.jobs.report.JobReport.Machine;
import dev.offload.jobs.report.JobReport.Memory;
import dev.offload.jobs.report.JobReport.Peak;
import dev.offload.jobs.report.ReportMaker;
import dev.offload.planner.Plan;
import dev.offload.tensors.Tier;
import java.util.Locale;
import java.util.Map;

/** What reports tell of an engine and the machine it runs on. */
final class EngineReport {
  private EngineReport() {}

  /** As things are now; peaks are those so far. */
  static ReportMaker.EngineFacts facts(Engine engine, Device device, EngineOptions options) {
    return new ReportMaker.EngineFacts(
        machine(device),
        memory(engine, device, options),
        engine.plan().maxSequences(),
        engine.timeline());
  }

  private static Machine machine(Device device) {
    return new Machine(
        device.facts().name(),
        device.facts().details(),
        device.facts().computeUnits(),
        Runtime.getRuntime().availableProcessors(),
        BudgetOptions.machineMemory(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        Runtime.version().toString());
  }

  private static Memory memory(Engine engine, Device device, EngineOptions options) {
    Plan plan = engine.plan();
    return new Memory(
        plan.computeDType().name().toLowerCase(Locale.ROOT),
        homes(engine.tierBytes().weights()),
        homes(engine.tierBytes().cache()),
        plan.ringBytes(),
        plan.stagingBytes(),
        plan.kvGroups().size(),
        plan.microBatchTokens(),
        new Peak(device.peakBytes(), options.deviceMemory()),
        new Peak(device.peakPinnedBytes(), options.hostMemory()));
  }

  private static Homes homes(Map<Tier, Long> bytes) {
    return new Homes(
        bytes.getOrDefault(Tier.DEVICE, 0L),
        bytes.getOrDefault(Tier.HOST, 0L),
        bytes.getOrDefault(Tier.DISK, 0L));
  }
}
