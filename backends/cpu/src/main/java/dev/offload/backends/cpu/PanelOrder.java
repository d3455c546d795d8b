package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How oneDNN wants panels of weights with a certain number of inputs, and the products made for
 * them so far. Thread-safe.
 *
 * <p>A panel consists of slices of inputs, one after the other; the products with the second slice
 * and those behind it add to the result of the first. oneDNN 3.11 and 3.13 sum up wrongly over more
 * than {@value #MIXED_INPUTS} inputs if F32 rows meet 16-bit weights in blocks, so slices are no
 * longer than that for this mix.
 */
final class PanelOrder {
  private static final int MIXED_INPUTS = 512;

  /** Rows of oneDNN's blocks. */
  private static final int BLOCK = 16;

  /** oneDNN's order in which the weights of one input lie next to each other, outputs in turn. */
  private static final String INPUT_BY_INPUT = "16a64b";

  /**
   * Rows are multiplied in oneDNN in multiples of this, which bounds how much code it compiles;
   * below, {@link FewRowsKernel} is faster.
   */
  static final int ROW_BLOCK = 16;

  private final DType input;
  private final DType weights;
  private final int inputs;
  private final boolean inputByInput;
  private final List<Slice> slices = new ArrayList<>();
  private final Map<KernelKey, TileKernel> kernels = new ConcurrentHashMap<>();
  private final Scratch.Pool scratches = FewRowsKernel.newScratches(ROW_BLOCK);
  private final long bytes;

  PanelOrder(Dnnl dnnl, DType input, DType weights, int inputs) {
    this.input = input;
    this.weights = weights;
    this.inputs = inputs;
    int count = input == weights ? 1 : Math.ceilDiv(inputs, MIXED_INPUTS);
    int length = Math.ceilDiv(Math.ceilDiv(inputs, count), BLOCK) * BLOCK;
    long offset = 0;
    for (int first = 0; first < inputs; first += length) {
      int size = Math.min(length, inputs - first);
      Dnnl.WeightOrder order = dnnl.weightOrder(input, weights, size, TileKernel.COLUMNS);
      slices.add(new Slice(order, order.newReorder(inputs), first, offset));
      offset += order.bytes();
    }
    bytes = offset;
    inputByInput =
        input == DType.F32
            && weights == DType.BF16
            && slices.stream().allMatch(slice -> slice.order.innerBlocks().equals(INPUT_BY_INPUT));
  }

  /** Bytes of a panel. */
  long bytes() {
    return bytes;
  }

  /**
   * Packs one panel.
   *
   * @param rows row-major, at most {@link TileKernel#COLUMNS}; those missing are zero
   * @param fullBytes bytes of as many rows as a panel has
   */
  void pack(MemorySegment rows, long fullBytes, MemorySegment panel) {
    if (rows.byteSize() == fullBytes) {
      packFull(rows, panel);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      packFull(arena.allocate(fullBytes, Long.BYTES).copyFrom(rows), panel);
    }
  }

  private void packFull(MemorySegment rows, MemorySegment panel) {
    for (Slice slice : slices) {
      slice.reorder.execute(
          rows.address() + (long) slice.firstInput * weights.bytes(),
          panel.address() + slice.offset);
    }
  }

  /**
   * As {@link TileKernel.Factory#kernel}: whole blocks of rows in oneDNN, the rest in a kernel for
   * few rows.
   */
  TileKernel kernel(int rows, int inputStride, int outputStride, boolean accumulate) {
    int fewRows = rows % ROW_BLOCK;
    int blockRows = rows - fewRows;
    if (blockRows == 0) {
      return fewRowsKernel(new KernelKey(fewRows, inputStride, outputStride, accumulate));
    }
    TileKernel blocks = dnnlKernel(new KernelKey(blockRows, inputStride, outputStride, accumulate));
    if (fewRows == 0) {
      return blocks;
    }
    TileKernel rest = fewRowsKernel(new KernelKey(fewRows, inputStride, outputStride, accumulate));
    long xBytes = (long) blockRows * inputStride * input.bytes();
    long outBytes = (long) blockRows * outputStride * Float.BYTES;
    return (x, xOffset, panel, panelOffset, out, outOffset) -> {
      blocks.multiply(x, xOffset, panel, panelOffset, out, outOffset);
      rest.multiply(x, xOffset + xBytes, panel, panelOffset, out, outOffset + outBytes);
    };
  }

  /** Sizes for which oneDNN compiled code so far. */
  int compiledSizes() {
    return kernels.size();
  }

  private TileKernel fewRowsKernel(KernelKey key) {
    return inputByInput
        ? new FewRowsKernel(
            key.rows, inputs, key.inputStride, key.outputStride, key.accumulate, scratches)
        : dnnlKernel(key);
  }

  private TileKernel dnnlKernel(KernelKey key) {
    return kernels.computeIfAbsent(key, this::newDnnlKernel);
  }

  private TileKernel newDnnlKernel(KernelKey key) {
    Dnnl.Product[] products = new Dnnl.Product[slices.size()];
    for (int i = 0; i < products.length; i++) {
      products[i] =
          slices
              .get(i)
              .order
              .newProduct(key.rows, key.inputStride, key.outputStride, key.accumulate || i > 0);
    }
    return (x, xOffset, panel, panelOffset, out, outOffset) -> {
      for (int i = 0; i < products.length; i++) {
        Slice slice = slices.get(i);
        products[i].execute(
            x.address() + xOffset + (long) slice.firstInput * input.bytes(),
            panel.address() + panelOffset + slice.offset,
            out.address() + outOffset);
      }
    };
  }

  /**
   * Some inputs of a panel.
   *
   * @param offset bytes from the start of the panel
   */
  private record Slice(Dnnl.WeightOrder order, Dnnl.Reorder reorder, int firstInput, long offset) {}

  private record KernelKey(int rows, int inputStride, int outputStride, boolean accumulate) {}
}
