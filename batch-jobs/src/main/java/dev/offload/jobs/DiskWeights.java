package dev.offload.jobs;

import dev.offload.engine.EngineModel;
import dev.offload.jobs.ProfileSource.DiskRead;
import dev.offload.planner.profile.BusyCores;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.RandomCheckpoint;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.UnitReader;
import dev.offload.tensors.weights.WeightUnit;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** Made-up weights in files of their own, deleted when this is closed. */
final class DiskWeights implements AutoCloseable {
  private static final String CONFIG = "config.json";

  /** Headers, index and configuration. */
  private static final long BESIDE_TENSORS = 64L << 20;

  /** The disk is read over and over until this has passed. */
  private static final long MEASURED_NANOS = 2_000_000_000L;

  private final Closing resources = new Closing();
  private ModelFolder folder;
  private Optional<String> stillCached = Optional.empty();

  private DiskWeights() {}

  /**
   * Writes a checkpoint, waits until the disk has it, and drops it from memory.
   *
   * @param model the folder or config.json that says what the model is
   * @param parent folder for the files
   * @throws RefusedException if the disk has not enough room
   */
  static DiskWeights write(Path model, List<WeightUnit> units, RandomSource source, Path parent)
      throws IOException, RefusedException {
    RandomCheckpoint checkpoint = new RandomCheckpoint(units, source);
    requireRoom(parent, checkpoint.bytes() + BESIDE_TENSORS);
    DiskWeights weights = new DiskWeights();
    try {
      Path path = weights.resources.add(TemporaryFolder.in(parent)).path();
      Files.copy(Files.isDirectory(model) ? model.resolve(CONFIG) : model, path.resolve(CONFIG));
      checkpoint.write(path);
      weights.dropFromMemory(path);
      weights.folder = weights.resources.add(ModelFolder.open(path));
      return weights;
    } catch (IOException | RuntimeException | Error e) {
      weights.resources.closeAfter(e);
      throw e;
    }
  }

  private static void requireRoom(Path parent, long bytes) throws IOException, RefusedException {
    long room = Files.getFileStore(parent).getUsableSpace();
    if (room < bytes) {
      throw new RefusedException(
          "--temp %s has room for %s, but weights that are read from disk take %s; name a folder with more room, or give more --host-memory"
              .formatted(parent, ByteSize.format(room), ByteSize.format(bytes)));
    }
  }

  private void dropFromMemory(Path path) throws IOException {
    try (var files = Files.newDirectoryStream(path, "*.safetensors")) {
      for (Path file : files) {
        Optional<String> reason = PageCache.drop(file);
        stillCached = stillCached.or(() -> reason);
      }
    }
  }

  /** The model with these weights, read past the page cache. */
  EngineModel model() {
    return EngineModel.ofDisk(folder);
  }

  /** Why the files may still be in memory; nothing if they have been dropped. */
  Optional<String> stillCached() {
    return stillCached;
  }

  /**
   * How fast the disk gives some units with nothing else going on, read as passes read them.
   *
   * @param count how many read at a time
   */
  DiskRead measure(List<WeightUnit> units, DType dtype, int count) throws IOException {
    Set<UnitId> wanted = units.stream().map(WeightUnit::id).collect(Collectors.toSet());
    List<WeightUnit> stored =
        model().units().stream().filter(unit -> wanted.contains(unit.id())).toList();
    try (UnitReader reader = UnitReader.openDirect(folder.checkpoint().orElseThrow())) {
      long begin = System.nanoTime();
      BusyCores cores = BusyCores.since();
      AtomicInteger next = new AtomicInteger();
      List<FutureTask<Void>> readers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        FutureTask<Void> task =
            new FutureTask<>(
                () -> {
                  read(reader, stored, dtype, next, begin);
                  return null;
                });
        readers.add(task);
        Thread.ofPlatform().name("offload-disk-" + i).start(task);
      }
      for (FutureTask<Void> task : readers) {
        await(task);
      }
      return new DiskRead(reader.bytesRead() * 1e9 / (System.nanoTime() - begin), cores.untilNow());
    }
  }

  private static void read(
      UnitReader reader, List<WeightUnit> units, DType dtype, AtomicInteger next, long begin)
      throws IOException {
    long largest = units.stream().mapToLong(unit -> end(targets(unit, dtype))).max().orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(largest, Long.BYTES);
      do {
        reader.read(targets(units.get(next.getAndIncrement() % units.size()), dtype), buffer);
      } while (System.nanoTime() - begin < MEASURED_NANOS);
    }
  }

  private static List<UnitReader.Target> targets(WeightUnit unit, DType dtype) {
    List<UnitReader.Target> targets = new ArrayList<>();
    for (Parameter parameter : unit.parameters()) {
      DType as = parameter.isMatrix() ? dtype : DType.F32;
      targets.add(new UnitReader.Target(parameter, as, end(targets)));
    }
    return targets;
  }

  private static long end(List<UnitReader.Target> targets) {
    return targets.isEmpty() ? 0 : targets.getLast().offset() + targets.getLast().bytes();
  }

  private static void await(FutureTask<Void> task) throws IOException {
    try {
      task.get();
    } catch (ExecutionException e) {
      throw new IOException("the disk could not be measured: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the disk was measured", e);
    }
  }

  @Override
  public void close() {
    resources.close();
  }
}
