package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Panels in the order that oneDNN chooses for rows of the same format, and the products compiled
 * for them so far. oneDNN compiles code for each size, about a millisecond each, so products are
 * kept. A call costs one to two microseconds besides, so that up to {@value #WIDEST} panels that
 * lie one behind the other go into one call; sums are the same bit by bit. Where inputs lie in
 * pairs, few rows are multiplied by {@link PairedRowsKernel} instead.
 */
final class BlockedPanels implements PanelFormat {
  /** Rows are multiplied in multiples of this and a rest, which bounds how much is compiled. */
  private static final int ROW_BLOCK = 16;

  /** Panels of a call at most; more gain nothing. */
  private static final int WIDEST = 4;

  /**
   * Least inputs with which few rows are multiplied in Java. Models with fewer fit a cache, and are
   * often done before Java's loop is compiled.
   */
  private static final int LEAST_PAIRED_INPUTS = 512;

  /** Numbers in weights that are packed to see their order, all different; a prime of them. */
  private static final short[] PATTERN = new short[65_521];

  static {
    for (int i = 0; i < PATTERN.length; i++) {
      PATTERN[i] = (short) (i + 1);
    }
  }

  private final DType dtype;
  private final int inputs;
  private final Scratch.Pool scratches;
  private final Dnnl.Reorder reorder;

  /** The order of one panel, of two that lie one behind the other, and so on. */
  private final List<Dnnl.WeightOrder> orders = new ArrayList<>();

  /** Whether few rows are multiplied faster in Java. */
  private boolean paired;

  private final Map<ProductKey, Dnnl.Product> products = new ConcurrentHashMap<>();

  /**
   * @param dtype of rows and weights
   * @param scratches for few rows
   */
  BlockedPanels(Dnnl dnnl, DType dtype, int inputs, Scratch.Pool scratches) {
    this.dtype = dtype;
    this.inputs = inputs;
    this.scratches = scratches;
    orders.add(dnnl.bestOrder(dtype, inputs, TileKernel.COLUMNS));
    reorder = orders.getFirst().newReorder(inputs);
    lookAtOrders(dnnl);
  }

  /**
   * Shown by packing: whether inputs lie in pairs, and up to how many columns oneDNN's order is
   * panels one behind the other.
   */
  private void lookAtOrders(Dnnl dnnl) {
    try (Arena arena = Arena.ofConfined()) {
      long rowMajorBytes = (long) TileKernel.COLUMNS * inputs * dtype.bytes();
      MemorySegment rowMajor = arena.allocate(WIDEST * rowMajorBytes, 64);
      fill(rowMajor);
      MemorySegment single = arena.allocate(WIDEST * bytes(), 64);
      for (int i = 0; i < WIDEST; i++) {
        reorder.execute(rowMajor.address() + i * rowMajorBytes, single.address() + i * bytes());
      }
      paired =
          dtype == DType.BF16
              && inputs >= LEAST_PAIRED_INPUTS
              && PairedRowsKernel.fits()
              && PairedRowsKernel.isPaired(rowMajor, inputs, single.asSlice(0, bytes()));
      for (int panels = 2; panels <= WIDEST; panels++) {
        Dnnl.WeightOrder wide = dnnl.bestOrder(dtype, inputs, panels * TileKernel.COLUMNS);
        MemorySegment together = arena.allocate(wide.bytes(), 64);
        wide.newReorder(inputs).execute(rowMajor.address(), together.address());
        if (together.mismatch(single.asSlice(0, panels * bytes())) >= 0) {
          return;
        }
        orders.add(wide);
      }
    }
  }

  /** Fills with numbers that come again after a prime number of them only. */
  private static void fill(MemorySegment weights) {
    int count = (int) Math.min(PATTERN.length, weights.byteSize() / Short.BYTES);
    MemorySegment.copy(PATTERN, 0, weights, ValueLayout.JAVA_SHORT, 0, count);
    long filled = (long) count * Short.BYTES;
    while (filled < weights.byteSize()) {
      long more = Math.min(filled, weights.byteSize() - filled);
      MemorySegment.copy(weights, 0, weights, filled, more);
      filled += more;
    }
  }

  @Override
  public long bytes() {
    return orders.getFirst().bytes();
  }

  @Override
  public void pack(MemorySegment from, long fromOffset, int rows, MemorySegment to, long toOffset) {
    if (rows == TileKernel.COLUMNS) {
      reorder.execute(from.address() + fromOffset, to.address() + toOffset);
      return;
    }
    long rowBytes = (long) inputs * dtype.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment full = arena.allocate(TileKernel.COLUMNS * rowBytes, Long.BYTES);
      MemorySegment.copy(from, fromOffset, full, 0, rows * rowBytes);
      reorder.execute(full.address(), to.address() + toOffset);
    }
  }

  /** Whole blocks first: a rest of few rows costs less than twice a middling number of them. */
  @Override
  public int blockRows(int left, int most) {
    return Math.min(left, most);
  }

  @Override
  public int panelsAtOnce() {
    return orders.size();
  }

  @Override
  public int scratchNumbers(int rows) {
    return isFew(rows) ? PairedRowsKernel.widenedNumbers(inputs) : 0;
  }

  private boolean isFew(int rows) {
    return paired && rows <= PairedRowsKernel.MOST_ROWS;
  }

  @Override
  public long taskBytes() {
    return paired ? scratches.bytes() : 0;
  }

  @Override
  public TileKernel kernel(
      MemorySegment x, long xOffset, int stride, int rows, float[] scratch, int at) {
    if (isFew(rows)) {
      return new PairedRowsKernel(x, xOffset, stride, rows, inputs, scratch, at, scratches);
    }
    int rest = rows % ROW_BLOCK;
    int blockRows = rows - rest;
    if (rest == 0 || blockRows == 0) {
      return new Rows(x.address() + xOffset, stride, rows);
    }
    long below = xOffset + (long) blockRows * stride * dtype.bytes();
    return new Rows(x.address() + xOffset, stride, blockRows)
        .above(new Rows(x.address() + below, stride, rest), blockRows);
  }

  private final class Rows implements TileKernel {
    private final long x;
    private final int stride;
    private final int rows;

    Rows(long x, int stride, int rows) {
      this.x = x;
      this.stride = stride;
      this.rows = rows;
    }

    @Override
    public void multiply(
        MemorySegment panel,
        long panelOffset,
        MemorySegment out,
        long outOffset,
        int outStride,
        boolean accumulate) {
      multiplyAll(panel, panelOffset, bytes(), 1, out, outOffset, outStride, accumulate);
    }

    @Override
    public void multiplyAll(
        MemorySegment panels,
        long panelOffset,
        long panelBytes,
        int count,
        MemorySegment out,
        long outOffset,
        int outStride,
        boolean accumulate) {
      for (int first = 0; first < count; first += orders.size()) {
        int some = Math.min(orders.size(), count - first);
        products
            .computeIfAbsent(
                new ProductKey(rows, stride, some, outStride, accumulate),
                BlockedPanels.this::newProduct)
            .execute(
                x,
                panels.address() + panelOffset + first * panelBytes,
                out.address() + outOffset + (long) first * TileKernel.COLUMNS * Float.BYTES);
      }
    }
  }

  private Dnnl.Product newProduct(ProductKey key) {
    return orders
        .get(key.panels - 1)
        .newProduct(key.rows, key.stride, key.outStride, key.accumulate);
  }

  /** Sizes for which oneDNN compiled code so far. */
  int compiledSizes() {
    return products.size();
  }

  private record ProductKey(int rows, int stride, int panels, int outStride, boolean accumulate) {}
}
