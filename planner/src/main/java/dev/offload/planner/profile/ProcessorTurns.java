package dev.offload.planner.profile;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.Stream;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.planner.profile.PassLoad.Attended;
import dev.offload.planner.profile.Shapes.Heads;
import dev.offload.planner.profile.Shapes.MatrixSize;
import dev.offload.planner.profile.Turns.Turn;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What one processor multiplies and attends to, in turn with all else. Owns its operands. */
final class ProcessorTurns {
  private final Device device;
  private final DType dtype;
  private final Turns turns;
  private final Consumer<Runnable> opened;
  private final List<Multiplied> products = new ArrayList<>();
  private final AttentionProbe decode;
  private final AttentionProbe prompts;
  private final RowProbe rows;
  private final Turn decodeTurn;
  private final Turn promptTurn;
  private final Turn activation;
  private final Turn launch;
  private final Optional<Packing> packing;

  private record Packing(PackProbe probe, Turn turn) {}

  private record Multiplied(MatrixSize size, int rows, Turn turn, Turn again) {}

  /**
   * @param again whether caches may have weights
   * @param bytes gone through, so that no cache holds it
   * @param opened takes what is to be closed when all is measured
   */
  ProcessorTurns(
      Device device,
      DType dtype,
      Heads heads,
      PassLoad load,
      boolean again,
      long bytes,
      Turns turns,
      Consumer<Runnable> opened) {
    this.device = device;
    this.turns = turns;
    this.opened = opened;
    this.dtype = dtype;
    load.products().forEach((size, multiplied) -> multiply(size, multiplied, again, bytes));
    rows = new RowProbe(device, load.mostRows());
    opened.accept(rows::close);
    launch = turn(rows.stream(), rows::launch);
    activation = turn(rows.stream(), rows::activate);
    packing =
        PackProbe.largest(device, dtype, load.products().keySet())
            .map(size -> packing(size, bytes));
    decode = attention(heads, load.decode(), 1, bytes);
    decodeTurn = turn(decode.stream(), () -> decode.enqueue(decode.stream()));
    prompts = attention(heads, load.prompts(), load.prompts().context(), 0);
    promptTurn = turn(prompts.stream(), () -> prompts.enqueue(prompts.stream()));
  }

  private void multiply(
      MatrixSize size, PassLoad.Multiplied multiplied, boolean again, long bytes) {
    WeightRing ring = new WeightRing(device, dtype, size, multiplied.rows().getLast(), bytes);
    opened.accept(ring::close);
    int ofUnit = Math.toIntExact(Math.round(multiplied.ofUnit() / size.elements()));
    for (int each : multiplied.rows()) {
      Turn turn = turn(ring.stream(), () -> ring.enqueue(ring.stream(), each));
      Turn second =
          again ? turn(ring.stream(), () -> ring.enqueueAmong(ring.stream(), ofUnit, each)) : turn;
      products.add(new Multiplied(size, each, turn, second));
    }
  }

  private Packing packing(MatrixSize size, long bytes) {
    PackProbe probe = new PackProbe(device, dtype, size, bytes);
    opened.accept(probe::close);
    return new Packing(probe, turn(probe.stream(), probe::pack));
  }

  private AttentionProbe attention(Heads heads, Attended attended, int rows, long bytes) {
    AttentionProbe probe =
        new AttentionProbe(device, heads, attended.sequences(), rows, attended.context(), bytes);
    opened.accept(probe::close);
    return probe;
  }

  private Turn turn(Stream stream, Runnable enqueue) {
    return turns.add(stream, enqueue);
  }

  /** Of one row of each sequence, when many layers follow each other. */
  double decodeSeconds() {
    return decodeTurn.seconds();
  }

  /** As it was measured last. */
  Processor processor() {
    double most = 0;
    Map<DType, Double> peaks = new EnumMap<>(DType.class);
    List<Product> measured = new ArrayList<>();
    for (Multiplied each : products) {
      MatrixSize size = each.size();
      // Rows are in caches, so that only weights say what memory gives.
      double seconds = each.turn().seconds();
      most = Math.max(most, (double) size.elements() * dtype.bytes() / seconds);
      peaks.merge(dtype, 2.0 * each.rows() * size.elements() / seconds, Math::max);
      measured.add(
          new Product(
              dtype, size.outputs(), size.inputs(), each.rows(), seconds, each.again().seconds()));
    }
    double activated = rows.activatedBytes() / activation.seconds();
    return new Processor(
        most,
        activated,
        packing.map(each -> each.probe().bytes() / each.turn().seconds()).orElse(activated),
        launch.seconds(),
        peaks,
        measured,
        decode.bytes() / decodeTurn.seconds(),
        prompts.flops() / promptTurn.seconds());
  }
}
