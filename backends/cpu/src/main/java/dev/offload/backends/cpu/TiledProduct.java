package dev.offload.backends.cpu;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.MemoryBudget;
import dev.offload.backends.api.OperationSizes;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntFunction;

/**
 * Cuts products into tiles of at most {@value #MAX_ROWS} rows and {@value TileKernel#COLUMNS}
 * outputs and shares them among the workers. Which rows are multiplied together follows from the
 * sizes alone, so results depend neither on the number of threads nor on where weights lie.
 * Thread-safe.
 */
final class TiledProduct {
  /** Rows of a tile: enough that loading weights into registers costs little. */
  static final int MAX_ROWS = 128;

  /** Scratch in which rows of another format are converted, per concurrent caller. */
  private static final long CONVERSION_BYTES = 4L << 20;

  /** Multiplications per task: about ten microseconds, against less than one to hand it over. */
  private static final long TASK_MULTIPLICATIONS = 500_000;

  /**
   * A task is at most this part of a thread's share of what is left: the last ones are small, so
   * that threads end together (guided self-scheduling, Polychronopoulos and Kuck, IEEE Transactions
   * on Computers C-36, 1987).
   */
  private static final int PARTS_OF_SHARE = 2;

  /**
   * Numbers of scratch in which kernels keep rows at a time, if one kernel needs no more: 8 MiB,
   * the rows of hundreds of experts with few rows each.
   */
  private static final int KERNEL_NUMBERS = 2 << 20;

  private final WorkerPool workers;
  private final Queue<TileOutput> outputs = new ConcurrentLinkedQueue<>();
  private final ScratchMemory tiles;
  private final ScratchMemory conversions;
  private final RowArrays rowArrays;

  /**
   * @param budget that scratch counts against
   */
  TiledProduct(WorkerPool workers, MemoryBudget budget) {
    this.workers = workers;
    tiles = new ScratchMemory(budget, TileOutput.BYTES);
    conversions = new ScratchMemory(budget, CONVERSION_BYTES);
    rowArrays = new RowArrays(budget);
  }

  /**
   * Scratch of one caller at a time: what tasks work in, and the rows of its kernels. Rows of
   * another format than the kernels' take {@link #CONVERSION_BYTES} more.
   */
  long scratchBytes(OperationSizes.Product largest, PanelFormat format) {
    int rows = Math.min(largest.rows(), MAX_ROWS);
    int ofOne = mostNumbers(format, 1, rows);
    // Formats that need some cut more rows into blocks of at least half as many as may be.
    int ofMore = mostNumbers(format, MAX_ROWS / 2, rows);
    long numbers =
        (long) Math.min(largest.groups(), largest.rows()) * ofOne
            + (long) largest.rows() / MAX_ROWS * ofMore;
    long kernels = Math.min(numbers, Math.max(KERNEL_NUMBERS, ofOne)) * Float.BYTES;
    return workers.threads() * (TileOutput.BYTES + format.taskBytes()) + kernels;
  }

  /** The most that a kernel of {@code least} to {@code most} rows needs. */
  private static int mostNumbers(PanelFormat format, int least, int most) {
    int numbers = 0;
    for (int rows = least; rows <= most; rows++) {
      numbers = Math.max(numbers, format.scratchNumbers(rows));
    }
    return numbers;
  }

  /**
   * As {@link MatrixProduct#multiply}, for weights in panels.
   *
   * @param input format in which the kernels want {@code x}
   */
  void multiply(
      Matrix x,
      List<WeightRows> groups,
      List<Vector> biases,
      boolean accumulate,
      Matrix out,
      DType input,
      PanelFormat format) {
    Call call = new Call(x, groups, biases, accumulate, out, input, format);
    if (x.dtype() == input) {
      call.multiplyInPlace();
    } else {
      call.multiplyConverted();
    }
  }

  /** Gives scratch back; nothing may be computing. */
  void dropScratch() {
    outputs.clear();
    tiles.drop();
    conversions.drop();
    rowArrays.drop();
  }

  private TileOutput acquireOutput() {
    TileOutput output = outputs.poll();
    return output == null ? new TileOutput(tiles.acquire()) : output;
  }

  /**
   * Rows of one group.
   *
   * @param group number of the group
   * @param firstRow first row in the left operand and the result
   */
  private record RowBlock(int group, int firstRow, int rows) {}

  /** Adjacent panels, from {@code first} to before {@code end}, times a block. */
  private record Task(int block, int first, int end) {}

  /** One product. */
  private final class Call {
    private final Matrix x;
    private final List<WeightRows> groups;
    private final List<Vector> biases;
    private final boolean accumulate;
    private final MatrixRows out;
    private final int outStride;
    private final DType input;
    private final PanelFormat format;
    private final int outputs;
    private final int panels;
    private final boolean direct;

    Call(
        Matrix x,
        List<WeightRows> groups,
        List<Vector> biases,
        boolean accumulate,
        Matrix out,
        DType input,
        PanelFormat format) {
      this.x = x;
      this.groups = groups;
      this.biases = biases;
      this.accumulate = accumulate;
      this.out = MatrixRows.of(out);
      this.outStride = out.rowStride();
      this.input = input;
      this.format = format;
      outputs = out.columns();
      panels = TileKernel.panels(outputs);
      direct = out.dtype() == DType.F32;
    }

    void multiplyInPlace() {
      long rowBytes = (long) x.rowStride() * input.bytes();
      List<RowBlock> blocks = cut(MAX_ROWS);
      long[] offsets = new long[blocks.size()];
      for (int i = 0; i < offsets.length; i++) {
        offsets[i] = x.offset() + blocks.get(i).firstRow * rowBytes;
      }
      multiply(blocks, CpuBuffer.segment(x.buffer()), offsets, x.rowStride());
    }

    /** Converts as many blocks as fit the scratch, multiplies them, and so on. */
    void multiplyConverted() {
      MemorySegment scratch = conversions.acquire();
      int capacity = (int) (CONVERSION_BYTES / ((long) x.columns() * input.bytes()));
      List<RowBlock> blocks = cut(Math.clamp(capacity, 1, MAX_ROWS));
      for (int first = 0; first < blocks.size(); ) {
        int end = first;
        int rows = 0;
        while (end < blocks.size() && rows + blocks.get(end).rows <= capacity) {
          rows += blocks.get(end++).rows;
        }
        List<RowBlock> part = blocks.subList(first, end);
        multiply(part, scratch, convert(part, scratch), x.columns());
        first = end;
      }
      conversions.release(scratch);
    }

    private List<RowBlock> cut(int maxRows) {
      List<RowBlock> blocks = new ArrayList<>();
      for (int g = 0; g < groups.size(); g++) {
        WeightRows group = groups.get(g);
        for (int first = 0; first < group.rows(); ) {
          int rows = format.blockRows(group.rows() - first, maxRows);
          blocks.add(new RowBlock(g, group.firstRow() + first, rows));
          first += rows;
        }
      }
      return blocks;
    }

    /** Converts the rows of the blocks; returns where in the scratch each block starts. */
    private long[] convert(List<RowBlock> blocks, MemorySegment scratch) {
      MatrixRows from = MatrixRows.of(x);
      int columns = x.columns();
      long rowBytes = (long) columns * input.bytes();
      long[] offsets = new long[blocks.size()];
      for (int i = 1; i < offsets.length; i++) {
        offsets[i] = offsets[i - 1] + blocks.get(i - 1).rows * rowBytes;
      }
      workers.parallelFor(
          blocks.size(),
          i -> {
            float[] row = new float[columns];
            RowBlock block = blocks.get(i);
            for (int r = 0; r < block.rows; r++) {
              from.load(block.firstRow + r, row);
              RowCodec.store(row, 0, scratch, offsets[i] + r * rowBytes, input, columns);
            }
          });
      return offsets;
    }

    /** Multiplies as many blocks at a time as the kernels' scratch allows. */
    private void multiply(
        List<RowBlock> blocks, MemorySegment inputs, long[] offsets, int inputStride) {
      int[] starts = new int[blocks.size()];
      for (int first = 0; first < blocks.size(); ) {
        int end = first;
        int numbers = 0;
        while (end < blocks.size()) {
          int more = format.scratchNumbers(blocks.get(end).rows);
          if (end > first && numbers + more > KERNEL_NUMBERS) {
            break;
          }
          starts[end++] = numbers;
          numbers += more;
        }
        float[] scratch = rowArrays.acquire(numbers);
        int from = first;
        multiply(
            blocks.subList(first, end),
            i ->
                format.kernel(
                    inputs,
                    offsets[from + i],
                    inputStride,
                    blocks.get(from + i).rows,
                    scratch,
                    starts[from + i]));
        rowArrays.release(scratch);
        first = end;
      }
    }

    private void multiply(List<RowBlock> blocks, IntFunction<TileKernel> newKernel) {
      TileKernel[] kernels = new TileKernel[blocks.size()];
      workers.parallelFor(kernels.length, i -> kernels[i] = newKernel.apply(i));
      List<Task> tasks = tasks(blocks);
      workers.parallelFor(
          tasks.size(),
          i -> {
            Task task = tasks.get(i);
            multiplyPanels(blocks.get(task.block), kernels[task.block], task.first, task.end);
          });
    }

    private List<Task> tasks(List<RowBlock> blocks) {
      long left = 0;
      for (RowBlock block : blocks) {
        left += panels * multiplications(block);
      }
      List<Task> tasks = new ArrayList<>();
      for (int i = 0; i < blocks.size(); i++) {
        long ofPanel = multiplications(blocks.get(i));
        long most = Math.max(format.panelsAtOnce(), TASK_MULTIPLICATIONS / ofPanel);
        for (int first = 0; first < panels; ) {
          long part = left / ((long) PARTS_OF_SHARE * workers.threads() * ofPanel);
          int end = (int) Math.min(panels, first + Math.clamp(part, 1, most));
          tasks.add(new Task(i, first, end));
          left -= (end - first) * ofPanel;
          first = end;
        }
      }
      return tasks;
    }

    private long multiplications(RowBlock block) {
      return (long) block.rows * x.columns() * TileKernel.COLUMNS;
    }

    private void multiplyPanels(RowBlock block, TileKernel kernel, int firstPanel, int endPanel) {
      WeightRows group = groups.get(block.group);
      MemorySegment weights = CpuBuffer.segment(group.weight().buffer());
      Vector bias = biases.isEmpty() ? null : biases.get(block.group);
      TileOutput output = acquireOutput();
      int whole =
          direct ? Math.clamp(outputs / TileKernel.COLUMNS, firstPanel, endPanel) : firstPanel;
      if (whole > firstPanel) {
        kernel.multiplyAll(
            weights,
            group.weight().offset() + firstPanel * format.bytes(),
            format.bytes(),
            whole - firstPanel,
            out.segment(),
            outOffset(block.firstRow, firstPanel * TileKernel.COLUMNS),
            outStride,
            accumulate);
      }
      for (int panel = firstPanel; panel < whole && bias != null; panel++) {
        output.addBias(bias, out, block.firstRow, block.rows, panel * TileKernel.COLUMNS);
      }
      for (int panel = whole; panel < endPanel; panel++) {
        int column = panel * TileKernel.COLUMNS;
        int columns = Math.min(TileKernel.COLUMNS, outputs - column);
        long panelOffset = group.weight().offset() + panel * format.bytes();
        kernel.multiply(weights, panelOffset, output.tile(), 0, TileKernel.COLUMNS, false);
        output.store(bias, accumulate, out, block.firstRow, block.rows, column, columns);
      }
      TiledProduct.this.outputs.add(output);
    }

    private long outOffset(int row, int column) {
      return out.offset() + row * out.strideBytes() + (long) column * Float.BYTES;
    }
  }
}
