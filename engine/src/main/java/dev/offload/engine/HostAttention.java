package dev.offload.engine;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.engine.pass.MicroBatchInput;
import dev.offload.tensors.DType;
import dev.offload.tensors.model.ModelConfig.Layer;

/**
 * The way of one micro-batch's queries to the host and of what the host attended back to the
 * device. Owns its buffers and the host's stream.
 */
final class HostAttention implements AutoCloseable {
  private final Device host;
  private final HostSinks sinks;
  private final Stream stream;
  private final DType attendedDType;
  private final DeviceBuffer qkv;
  private final DeviceBuffer attended;
  private final PinnedBuffer hostQkv;
  private final PinnedBuffer hostAttended;
  private final DeviceBuffer wrappedQkv;
  private final DeviceBuffer wrappedAttended;

  /**
   * @param sinks of all layers
   * @param tokens most tokens of the micro-batch
   * @param qkvWidth widest queries, keys and values of all layers
   * @param attendedWidth widest attention output of all layers
   */
  HostAttention(
      Device device,
      Device host,
      HostSinks sinks,
      DType attendedDType,
      int tokens,
      int qkvWidth,
      int attendedWidth) {
    this.host = host;
    this.sinks = sinks;
    this.attendedDType = attendedDType;
    long qkvBytes = qkvBytes(tokens, qkvWidth);
    long attendedBytes = attendedBytes(tokens, attendedWidth, attendedDType);
    this.qkv = device.allocate("queries for the host", qkvBytes);
    this.attended = device.allocate("attended on the host", attendedBytes);
    this.hostQkv = device.allocatePinned("queries for the host", qkvBytes);
    this.hostAttended = device.allocatePinned("attended on the host", attendedBytes);
    this.wrappedQkv = host.wrap(hostQkv);
    this.wrappedAttended = host.wrap(hostAttended);
    this.stream = host.newStream("attention");
  }

  static long qkvBytes(int tokens, int qkvWidth) {
    return 4L * tokens * qkvWidth;
  }

  static long attendedBytes(int tokens, int attendedWidth, DType dtype) {
    return (long) tokens * attendedWidth * dtype.bytes();
  }

  /** Where the device puts queries, keys and values. */
  Matrix qkv(int tokens, Layer layer) {
    return Matrix.dense(qkv, 0, DType.F32, tokens, layer.attention().qkvWidth());
  }

  /** Where the device finds what the host attended. */
  Matrix attended(int tokens, Layer layer) {
    return Matrix.dense(attended, 0, attendedDType, tokens, layer.attention().attendedWidth());
  }

  void download(Stream d2h, int tokens, Layer layer) {
    d2h.copyToHost(qkv, 0, hostQkv, 0, 4L * tokens * layer.attention().qkvWidth());
  }

  /**
   * Appends and attends, on the caller's thread and the host's threads; returns when done.
   *
   * @param number of the layer
   */
  void attend(int number, Layer layer, MicroBatchInput input, KvBlocks cache) {
    int tokens = input.tokens();
    Matrix rows = Matrix.dense(wrappedQkv, 0, DType.F32, tokens, layer.attention().qkvWidth());
    AttentionModule.append(host.operations(), stream, layer, input.onHost(), cache, rows);
    AttentionModule.attend(
        host.operations(),
        stream,
        layer,
        sinks.of(number),
        input.onHost(),
        cache,
        rows,
        Matrix.dense(wrappedAttended, 0, attendedDType, tokens, layer.attention().attendedWidth()));
    stream.synchronize();
  }

  void upload(Stream h2d, int tokens, Layer layer) {
    h2d.copyToDevice(
        hostAttended,
        0,
        attended,
        0,
        (long) tokens * layer.attention().attendedWidth() * attendedDType.bytes());
  }

  @Override
  public void close() {
    stream.close();
    wrappedAttended.close();
    wrappedQkv.close();
    hostAttended.close();
    hostQkv.close();
    attended.close();
    qkv.close();
  }
}
