package dev.offload.jobs;

import dev.offload.planner.LaneQueue;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.profile.Effort;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.Profiler;
import dev.offload.planner.profile.Shapes;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures this machine with the matrices and the heads of one model, in some seconds and in memory
 * of its own.
 */
final class ModelProfile implements ProfileSource {
  /** Apart from the budgets of the run. */
  private static final long BYTES = 4L << 30;

  private static final long MIB = 1 << 20;

  private final MachineOptions machine;
  private final Shapes shapes;
  private final Effort effort;

  /**
   * @param load whose lengths attention is measured at
   */
  ModelProfile(MachineOptions machine, DType dtype, ModelFolder folder, BenchLoad load) {
    this.machine = machine;
    Attention attention = folder.config().layers().getFirst().attention();
    this.shapes =
        new Shapes(
            List.of(dtype),
            folder.units().stream()
                .flatMap(unit -> MatrixShape.of(unit).stream())
                .distinct()
                .map(shape -> new MatrixSize(shape.outputs(), shape.inputs()))
                .toList(),
            new Heads(attention.heads(), attention.keyValueHeads(), attention.headDim()));
    this.effort =
        new Effort(
            0.015,
            96 * MIB,
            List.of(MIB / 16, Math.clamp(commonUnitBytes(folder, dtype), MIB / 8, 32 * MIB)),
            List.of(1, 2, 4, 8, 16, 32, 64, 128, 512),
            load.promptTokens(),
            load.promptTokens() + load.generatedTokens() / 2,
            256 * MIB,
            List.of(LaneQueue.READS.atATime()),
            false);
  }

  /** Size of those units that most weights are in. */
  private static long commonUnitBytes(ModelFolder folder, DType dtype) {
    Map<Long, Long> total = new HashMap<>();
    for (WeightUnit unit : folder.units()) {
      long bytes =
          dtype.bytes()
              * MatrixShape.of(unit).stream()
                  .mapToLong(shape -> (long) shape.outputs() * shape.inputs())
                  .sum();
      total.merge(bytes, bytes, Long::sum);
    }
    return Collections.max(total.entrySet(), Map.Entry.comparingByValue()).getKey();
  }

  @Override
  public HardwareProfile get(Optional<DiskReads> disk) throws IOException, RefusedException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    try (OpenedDevices devices = OpenedDevices.open(machine, BYTES, BYTES)) {
      Machine described =
          new Machine(
              facts.name(),
              facts.processor(),
              facts.cores(),
              facts.memoryBytes(),
              Optional.empty());
      HardwareProfile measured =
          new Profiler(devices.device(), devices.host(), described, shapes, effort, _ -> {})
              .measure()
              .profile();
      return disk.isPresent() ? measured.withDisk(disk(measured.disk(), disk.get())) : measured;
    }
  }

  private static Disk disk(Disk described, DiskReads reads) throws IOException {
    DiskRead all = reads.by(LaneQueue.READS.atATime());
    double lone = Math.min(all.bytesPerSecond(), reads.by(1).bytesPerSecond());
    return new Disk(
        described.freeBytes(),
        all.bytesPerSecond(),
        lone,
        all.cores(),
        described.writeBytesPerSecond());
  }
}
