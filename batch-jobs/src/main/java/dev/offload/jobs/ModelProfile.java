package dev.offload.jobs;

import dev.offload.engine.EngineModel;
import dev.offload.planner.LaneQueue;
import dev.offload.planner.PassShape;
import dev.offload.planner.Plan;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.ModelProbe;
import dev.offload.planner.profile.PassLoad;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.Streamed;
import dev.offload.tensors.Tier;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Measures this machine with the matrices and the heads of one model and the numbers of rows of its
 * passes, in memory of its own that it keeps, a second each time.
 */
final class ModelProfile implements ProfileSource {
  /** Apart from the budgets of the run. */
  private static final long BYTES = 4L << 30;

  /** Copies that are measured. */
  private static final long LEAST_COPY = 1L << 16;

  private static final long USUAL_COPY = 1L << 20;

  private static final long MOST_COPY = 32L << 20;

  /** Rates of a disk where no pass reads: nothing comes of them. */
  private static final double UNUSED = 1e9;

  private static final double SECONDS = 1;

  private final Closing closing = new Closing();
  private final ModelProbe probe;

  /** Opens devices like those of the run, and runs everything for a while. */
  ModelProfile(MachineOptions machine, EngineModel model, Plan plan, List<PassShape> passes)
      throws IOException, RefusedException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    Disk noDisk = new Disk(facts.diskFreeBytes(), UNUSED, UNUSED);
    Machine described =
        new Machine(
            facts.name(), facts.processor(), facts.cores(), facts.memoryBytes(), Optional.empty());
    OpenedDevices devices = closing.add(OpenedDevices.toMeasure(machine, BYTES, BYTES));
    try {
      probe =
          closing.add(
              new ModelProbe(
                  devices.device(),
                  devices.host(),
                  described,
                  noDisk,
                  plan.computeDType(),
                  heads(model.config()),
                  PassLoad.of(passes, model.config(), model.units(), plan.attendsOnHost()),
                  streamed(model.units(), plan)));
    } catch (RuntimeException | Error e) {
      closing.closeAfter(e);
      throw e;
    }
  }

  private static Heads heads(ModelConfig model) {
    Attention attention = model.layers().getFirst().attention();
    return new Heads(attention.heads(), attention.keyValueHeads(), attention.headDim());
  }

  private static Streamed streamed(List<WeightUnit> units, Plan plan) {
    double all = 0;
    double streamed = 0;
    NavigableMap<Long, Double> weights = new TreeMap<>();
    for (WeightUnit unit : units) {
      double bytes =
          plan.computeDType().bytes()
              * MatrixShape.of(unit).stream().mapToDouble(MatrixShape::elements).sum();
      boolean stays =
          plan.placement().get(unit.id()) == Tier.DEVICE || plan.hostExperts().contains(unit.id());
      all += bytes;
      if (!stays && bytes > 0) {
        streamed += bytes;
        weights.merge(Math.clamp((long) bytes, LEAST_COPY, MOST_COPY), bytes, Double::sum);
      }
    }
    long usual =
        weights.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElse(USUAL_COPY);
    NavigableSet<Long> pieces = new TreeSet<>(weights.keySet());
    pieces.addAll(List.of(LEAST_COPY, USUAL_COPY));
    return new Streamed(
        List.copyOf(pieces), weights.keySet(), usual, plan.ringBytes(), streamed / all);
  }

  @Override
  public HardwareProfile get(Optional<DiskReads> disk) throws IOException {
    HardwareProfile measured = probe.measure(SECONDS);
    return disk.isPresent() ? measured.withDisk(disk(measured, disk.get())) : measured;
  }

  private Disk disk(HardwareProfile measured, DiskReads reads) throws IOException {
    int readers = LaneQueue.READS.atATime();
    DiskRead all = reads.by(readers);
    double lone = reads.by(1).bytesPerSecond();
    double most = all.bytesPerSecond();
    return new Disk(
        measured.disk().freeBytes(),
        most,
        Math.min(most, lone),
        Math.min(most, measured.sharing().deviceIsHost() ? besideProducts(reads, readers) : most),
        all.cores(),
        measured.disk().writeBytesPerSecond());
  }

  private double besideProducts(DiskReads reads, int readers) throws IOException {
    try {
      return probe.besideProducts(
          () -> {
            try {
              return reads.by(readers).bytesPerSecond();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void close() {
    closing.close();
  }
}
