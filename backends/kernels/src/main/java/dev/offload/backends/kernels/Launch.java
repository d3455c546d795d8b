package dev.offload.backends.kernels;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Vector;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One run of a kernel: what is compiled, its arguments in order, and over how many work-items. */
public final class Launch {

  /** An argument of a kernel. */
  public sealed interface Argument {}

  /** A buffer from its start; the offset is an argument of its own. Empty is a null pointer. */
  public record MemoryArgument(Optional<DeviceBuffer> buffer) implements Argument {}

  /** The status of the stream, where kernels report failures. */
  public record StatusArgument() implements Argument {}

  /** 32 bits. */
  public record IntArgument(int value) implements Argument {}

  /** 64 bits. */
  public record LongArgument(long value) implements Argument {}

  /** 32 bits. */
  public record FloatArgument(float value) implements Argument {}

  /**
   * A macro.
   *
   * @param value what its name stands for
   */
  public record Definition(String name, int value) {
    @Override
    public String toString() {
      return name + "=" + value;
    }
  }

  /** What tells a kernel from others; made for every launch, so it puts no texts together. */
  public record Key(String file, List<Definition> definitions, String kernel) {
    public Key {
      definitions = List.copyOf(definitions);
    }
  }

  private final String file;
  private final String kernel;
  private final List<Definition> definitions = new ArrayList<>();
  private final List<Argument> arguments = new ArrayList<>();
  private long groups = 1;
  private int secondGroups = 1;
  private int items = 1;
  private int localBytes;
  private boolean hasStatus;

  /**
   * @param file one of {@link KernelSource#FILES}
   * @param kernel in it
   */
  Launch(String file, String kernel) {
    this.file = file;
    this.kernel = kernel;
  }

  /** The source, one of {@link KernelSource#FILES}. */
  public String file() {
    return file;
  }

  public String kernel() {
    return kernel;
  }

  /** Macros, {@code NAME=value}. */
  public List<String> definitions() {
    return definitions.stream().map(Definition::toString).toList();
  }

  /** What tells its kernel from others. */
  public Key key() {
    return new Key(file, definitions, kernel);
  }

  /** Whether the kernel may report a failure. */
  public boolean hasStatus() {
    return hasStatus;
  }

  public List<Argument> arguments() {
    return arguments;
  }

  /** Work-groups in the first dimension. */
  public long groups() {
    return groups;
  }

  /** Work-groups in the second dimension. */
  public int secondGroups() {
    return secondGroups;
  }

  /** Work-items per group, all in the first dimension. */
  public int items() {
    return items;
  }

  /** Local memory, an argument behind all others; 0 if the kernel has no such. */
  public int localBytes() {
    return localBytes;
  }

  Launch define(String name, int value) {
    definitions.add(new Definition(name, value));
    return this;
  }

  Launch groups(long first, int second) {
    groups = first;
    secondGroups = second;
    return this;
  }

  Launch items(int count) {
    items = count;
    return this;
  }

  Launch localFloats(long count) {
    localBytes = Math.toIntExact(4 * count);
    return this;
  }

  Launch matrix(Matrix matrix) {
    return memory(matrix.buffer(), matrix.offset())
        .integer(KernelNumbers.of(matrix.dtype()))
        .integer(matrix.rowStride());
  }

  Launch noMatrix() {
    return noMemory().integer(KernelNumbers.of(DType.F32)).integer(0);
  }

  Launch vector(Optional<Vector> vector) {
    return vector.isPresent() ? memory(vector.get().buffer(), vector.get().offset()) : noMemory();
  }

  Launch indices(Indices indices) {
    return memory(indices.buffer(), indices.offset());
  }

  Launch cache(KvBlocks cache) {
    KvBlocks.Format format = cache.format();
    return memory(cache.buffer(), cache.offset())
        .integer(cache.blocks())
        .integer(format.blockTokens())
        .integer(format.heads())
        .integer(format.headDim())
        .integer(format.valueDim())
        .integer(format.valuesInKeys() ? 1 : 0);
  }

  Launch memory(DeviceBuffer buffer, long offset) {
    arguments.add(new MemoryArgument(Optional.of(buffer)));
    arguments.add(new LongArgument(offset));
    return this;
  }

  private Launch noMemory() {
    arguments.add(new MemoryArgument(Optional.empty()));
    arguments.add(new LongArgument(0));
    return this;
  }

  Launch integer(int value) {
    arguments.add(new IntArgument(value));
    return this;
  }

  Launch number(float value) {
    arguments.add(new FloatArgument(value));
    return this;
  }

  Launch status() {
    arguments.add(new StatusArgument());
    hasStatus = true;
    return this;
  }
}
