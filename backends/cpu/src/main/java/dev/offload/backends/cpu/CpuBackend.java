package dev.offload.backends.cpu;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.backends.api.WeightRows;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Temporary. */
public final class CpuBackend implements Backend {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Optional<String> unusableReason() {
    return Optional.empty();
  }

  @Override
  public Device open(DeviceOptions options) {
    WorkerPool workers = new WorkerPool(options.threads());
    MatrixProduct product = new Naive(workers);
    return new CpuDevice(options, workers, product, new CpuOperations(workers, product));
  }

  private static final class Naive implements MatrixProduct {
    private final WorkerPool workers;

    Naive(WorkerPool w) {
      workers = w;
    }

    @Override
    public String describe() {
      return "naive";
    }

    @Override
    public DType input(DType weights) {
      return DType.F32;
    }

    @Override
    public long packedBytes(DType dtype, int outputs, int inputs) {
      return (long) dtype.bytes() * outputs * inputs;
    }

    @Override
    public boolean packs(DType dtype, int outputs, int inputs) {
      return false;
    }

    @Override
    public void pack(Weight rowMajor, Weight packed) {}

    static float[] read(DeviceBuffer b, long off, DType t, int n) {
      float[] out = new float[n];
      dev.offload.tensors.Conversion.copy(
          ((CpuBuffer) b).segment(), off, t, MemorySegment.ofArray(out), 0, DType.F32, n);
      return out;
    }

    @Override
    public void multiply(
        Matrix x, List<WeightRows> groups, List<Vector> biases, boolean accumulate, Matrix out) {
      for (int g = 0; g < groups.size(); g++) {
        WeightRows group = groups.get(g);
        Weight w = group.weight();
        float[] bias =
            biases.isEmpty()
                ? null
                : read(biases.get(g).buffer(), biases.get(g).offset(), DType.F32, w.outputs());
        float[][] rows = new float[group.rows()][];
        for (int r = 0; r < rows.length; r++) {
          rows[r] =
              read(
                  x.buffer(),
                  x.offset() + (long) (group.firstRow() + r) * x.rowStride() * x.dtype().bytes(),
                  x.dtype(),
                  x.columns());
        }
        float[][] c = new float[group.rows()][w.outputs()];
        workers.parallelFor(
            w.outputs(),
            o -> {
              float[] wr =
                  read(
                      w.buffer(),
                      w.offset() + (long) o * w.inputs() * w.dtype().bytes(),
                      w.dtype(),
                      w.inputs());
              for (int r = 0; r < rows.length; r++) {
                float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
                float[] xr = rows[r];
                int i = 0;
                for (; i + 3 < wr.length; i += 4) {
                  s0 += wr[i] * xr[i];
                  s1 += wr[i + 1] * xr[i + 1];
                  s2 += wr[i + 2] * xr[i + 2];
                  s3 += wr[i + 3] * xr[i + 3];
                }
                for (; i < wr.length; i++) {
                  s0 += wr[i] * xr[i];
                }
                c[r][o] = s0 + s1 + s2 + s3 + (bias == null ? 0 : bias[o]);
              }
            });
        for (int r = 0; r < rows.length; r++) {
          long at =
              out.offset() + (long) (group.firstRow() + r) * out.rowStride() * out.dtype().bytes();
          if (accumulate) {
            float[] old = read(out.buffer(), at, out.dtype(), w.outputs());
            for (int o = 0; o < old.length; o++) {
              c[r][o] += old[o];
            }
          }
          dev.offload.tensors.Conversion.copy(
              MemorySegment.ofArray(c[r]),
              0,
              DType.F32,
              ((CpuBuffer) out.buffer()).segment(),
              at,
              out.dtype(),
              w.outputs());
        }
      }
    }

    @Override
    public void close() {}
  }
}
