package dev.offload.tensors.weights;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint of made-up weights as files: shards in the order in which a pass needs them, with
 * the same numbers that the source gives without files.
 */
public final class RandomCheckpoint {
  private static final long SHARD_BYTES = 2L << 30;
  private static final int BUFFER_BYTES = 16 << 20;

  /** One tensor to be written. */
  private record Tensor(String name, List<Integer> shape, DType dtype, Role role) {
    long elements() {
      return shape.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
    }

    long bytes() {
      return elements() * dtype.bytes();
    }
  }

  private final RandomSource source;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** All tensors of the units; one that several units share counts once. */
  public RandomCheckpoint(List<WeightUnit> units, RandomSource source) {
    this.source = source;
    for (WeightUnit unit : units) {
      for (Parameter parameter : unit.parameters()) {
        for (Part part : parameter.parts()) {
          tensors.putIfAbsent(
              part.tensor(),
              new Tensor(part.tensor(), part.shape(), parameter.dtype(), parameter.role()));
        }
      }
    }
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return tensors.values().stream().mapToLong(Tensor::bytes).sum();
  }

  /** Writes the shards and their index into a folder and waits until the disk has them. */
  public void write(Path folder) throws IOException {
    List<List<Tensor>> shards = shards();
    JsonMapper mapper = new JsonMapper();
    ObjectNode index = mapper.createObjectNode();
    ObjectNode places = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
      writeShard(folder.resolve(name), shards.get(i), mapper);
      shards.get(i).forEach(tensor -> places.put(tensor.name(), name));
    }
    Files.write(folder.resolve("model.safetensors.index.json"), mapper.writeValueAsBytes(index));
  }

  private List<List<Tensor>> shards() {
    List<List<Tensor>> shards = new ArrayList<>();
    long room = 0;
    for (Tensor tensor : tensors.values()) {
      if (shards.isEmpty() || tensor.bytes() > room) {
        shards.add(new ArrayList<>());
        room = SHARD_BYTES;
      }
      shards.getLast().add(tensor);
      room -= tensor.bytes();
    }
    return shards;
  }

  private void writeShard(Path file, List<Tensor> shard, JsonMapper mapper) throws IOException {
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        Arena arena = Arena.ofShared()) {
      writeFully(channel, header(shard, mapper));
      MemorySegment buffer = arena.allocate(BUFFER_BYTES, ReadBuffers.BLOCK);
      for (Tensor tensor : shard) {
        write(channel, tensor, buffer);
      }
      channel.force(true);
    }
  }

  /** Padded, so that the numbers begin with a block of the disk. */
  private static ByteBuffer header(List<Tensor> shard, JsonMapper mapper) throws IOException {
    ObjectNode header = mapper.createObjectNode();
    long offset = 0;
    for (Tensor tensor : shard) {
      ObjectNode entry = header.putObject(tensor.name());
      entry.put("dtype", tensor.dtype().name());
      tensor.shape().forEach(entry.putArray("shape")::add);
      entry.putArray("data_offsets").add(offset).add(offset + tensor.bytes());
      offset += tensor.bytes();
    }
    byte[] json = mapper.writeValueAsBytes(header);
    long padded = ReadBuffers.roundUp(json.length + Long.BYTES);
    ByteBuffer bytes = ByteBuffer.allocate((int) padded).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(padded - Long.BYTES).put(json);
    bytes.put(" ".repeat(bytes.remaining()).getBytes(StandardCharsets.US_ASCII));
    return bytes.flip();
  }

  private void write(FileChannel channel, Tensor tensor, MemorySegment buffer) throws IOException {
    long most = BUFFER_BYTES / tensor.dtype().bytes();
    for (long done = 0; done < tensor.elements(); done += most) {
      long count = Math.min(most, tensor.elements() - done);
      MemorySegment chunk = buffer.asSlice(0, count * tensor.dtype().bytes());
      if (tensor.role().isMatrix()) {
        source.readTensor(tensor.name(), done, tensor.dtype(), chunk);
      } else {
        RandomSource.readVector(tensor.role(), tensor.dtype(), chunk);
      }
      writeFully(channel, chunk.asByteBuffer());
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
