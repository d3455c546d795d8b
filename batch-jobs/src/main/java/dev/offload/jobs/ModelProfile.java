package dev.offload.jobs;

import dev.offload.planner.LaneQueue;
import dev.offload.planner.PassShape;
import dev.offload.planner.cost.MatrixShape;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.MachineFacts;
import dev.offload.planner.profile.Machine;
import dev.offload.planner.profile.ModelProbe;
import dev.offload.planner.profile.PassLoad;
import dev.offload.planner.profile.Shapes;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Measures this machine with the matrices and the heads of one model and the numbers of rows of its
 * passes, in memory of its own that it keeps, a second each time.
 */
final class ModelProfile implements ProfileSource {
  /** Apart from the budgets of the run. */
  private static final long BYTES = 4L << 30;

  /** Copies that are measured. */
  private static final long LEAST_COPY = 1L << 16;

  private static final long MOST_COPY = 32L << 20;

  /** Rates of a disk where no pass reads: nothing comes of them. */
  private static final double UNUSED = 1e9;

  private static final double SECONDS = 1;

  private final Closing closing = new Closing();
  private final ModelProbe probe;

  /** Opens devices like those of the run, and runs everything for a while. */
  ModelProfile(MachineOptions machine, DType dtype, ModelFolder folder, List<PassShape> passes)
      throws IOException, RefusedException {
    MachineFacts facts = ThisMachine.facts(machine.threads(), machine.temporary());
    Disk noDisk = new Disk(facts.diskFreeBytes(), UNUSED, UNUSED);
    Machine described =
        new Machine(
            facts.name(), facts.processor(), facts.cores(), facts.memoryBytes(), Optional.empty());
    boolean mixtures =
        folder.config().layers().stream()
            .anyMatch(layer -> layer.feedForward() instanceof MixtureOfExperts);
    NavigableMap<Long, Long> weights = bytesBySize(folder, dtype);
    OpenedDevices devices = closing.add(OpenedDevices.toMeasure(machine, BYTES, BYTES));
    try {
      probe =
          closing.add(
              new ModelProbe(
                  devices.device(),
                  devices.host(),
                  described,
                  noDisk,
                  shapes(dtype, folder),
                  PassLoad.of(passes, mixtures),
                  List.copyOf(weights.keySet()),
                  Collections.max(weights.entrySet(), Map.Entry.comparingByValue()).getKey()));
    } catch (RuntimeException | Error e) {
      closing.closeAfter(e);
      throw e;
    }
  }

  /** The matrices, first what most weights are in. */
  private static Shapes shapes(DType dtype, ModelFolder folder) {
    Map<MatrixShape, Double> elements = new LinkedHashMap<>();
    for (WeightUnit unit : folder.units()) {
      MatrixShape.of(unit).forEach(shape -> elements.merge(shape, shape.elements(), Double::sum));
    }
    Attention attention = folder.config().layers().getFirst().attention();
    return new Shapes(
        List.of(dtype),
        elements.entrySet().stream()
            .sorted(Map.Entry.<MatrixShape, Double>comparingByValue().reversed())
            .map(each -> new MatrixSize(each.getKey().outputs(), each.getKey().inputs()))
            .toList(),
        new Heads(attention.heads(), attention.keyValueHeads(), attention.headDim()));
  }

  /** How many bytes of weights are in units of each size; copies are no smaller and no larger. */
  private static NavigableMap<Long, Long> bytesBySize(ModelFolder folder, DType dtype) {
    NavigableMap<Long, Long> total = new TreeMap<>();
    for (WeightUnit unit : folder.units()) {
      long bytes =
          dtype.bytes()
              * MatrixShape.of(unit).stream()
                  .mapToLong(shape -> (long) shape.outputs() * shape.inputs())
                  .sum();
      total.merge(Math.clamp(bytes, LEAST_COPY, MOST_COPY), bytes, Long::sum);
    }
    total.putIfAbsent(LEAST_COPY, 0L);
    return total;
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
