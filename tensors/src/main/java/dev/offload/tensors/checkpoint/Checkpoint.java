package dev.offload.tensors.checkpoint;

import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The weight files of one model folder, mapped read-only. Owns the mapping: segments it handed out
 * are dead once it is closed. Thread-safe.
 *
 * <pre>{@code
 * try (Checkpoint checkpoint = Checkpoint.open(folder)) {
 *   MemorySegment numbers = checkpoint.bytes(checkpoint.require("model.norm.weight"));
 * }
 * }</pre>
 */
public final class Checkpoint implements AutoCloseable {
  private final Path folder;
  private final Arena arena;
  private final Map<Path, MemorySegment> files = new HashMap<>();
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  private Checkpoint(Path folder, Arena arena) {
    this.folder = folder;
    this.arena = arena;
  }

  /**
   * Opens {@code model.safetensors}, or the shards that {@code model.safetensors.index.json} names.
   *
   * @throws ModelException if a file is missing, damaged or lies outside the folder
   */
  public static Checkpoint open(Path folder) throws IOException {
    CheckpointFiles found = CheckpointFiles.of(folder);
    Checkpoint checkpoint = new Checkpoint(folder, Arena.ofShared());
    try {
      for (Path file : found.files()) {
        checkpoint.add(file, found);
      }
      return checkpoint;
    } catch (Throwable e) {
      checkpoint.close();
      throw e;
    }
  }

  /** The tensor of this name, if there is one. */
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * The tensor of this name.
   *
   * @throws ModelException if there is none
   */
  public StoredTensor require(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new ModelException(
                    folder
                        + ": the checkpoint holds no tensor "
                        + name
                        + ", which the model needs"));
  }

  /** Names of all tensors. */
  public Set<String> names() {
    return new TreeSet<>(tensors.keySet());
  }

  /** The weight files. */
  public List<Path> files() {
    return files.keySet().stream().sorted().toList();
  }

  /** The bytes of a tensor of this checkpoint: mapped, read-only, not aligned. */
  public MemorySegment bytes(StoredTensor tensor) {
    return bytes(new FileRange(tensor.file(), tensor.fileOffset(), tensor.bytes()));
  }

  /**
   * Bytes of a weight file: mapped, read-only.
   *
   * @throws IndexOutOfBoundsException if the file has no such bytes
   */
  public MemorySegment bytes(FileRange range) {
    MemorySegment file = files.get(range.file());
    if (file == null) {
      throw new IllegalArgumentException(range.file() + " is no weight file of " + folder);
    }
    return file.asSlice(range.offset(), range.bytes());
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  private void add(Path file, CheckpointFiles found) throws IOException {
    Map<String, StoredTensor> held = new HashMap<>();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (StoredTensor tensor : SafetensorsHeader.read(file, channel)) {
        held.put(tensor.name(), tensor);
      }
      files.put(file, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
    }
    for (String name : found.tensorsOf(file).orElse(held.keySet())) {
      StoredTensor tensor = held.get(name);
      if (tensor == null) {
        throw new ModelException(
            "%s: holds no tensor %s, although %s says so; download both again"
                .formatted(file, name, CheckpointFiles.INDEX));
      }
      tensors.put(name, tensor);
    }
  }
}
