package dev.offload.backends.cuda;

import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Weight;
import dev.offload.backends.kernels.ProductLibrary;
import dev.offload.tensors.DType;

/** Matrix products by cuBLAS: operands of one format, results of that or F32, sums in F32. */
final class CublasProducts implements ProductLibrary {
  private final Blas blas;

  CublasProducts(Blas blas) {
    this.blas = blas;
  }

  @Override
  public boolean multiplies(DType x, DType weight, DType out) {
    return x == weight && (out == x || out == DType.F32);
  }

  @Override
  public void multiply(Stream stream, Matrix x, Weight weight, boolean accumulate, Matrix out) {
    CudaStream own = CudaStream.of(stream);
    own.multiply(
        blas,
        new Blas.Product(
            x.rows(),
            weight.outputs(),
            weight.inputs(),
            typeOf(x.dtype()),
            CudaBuffer.of(x.buffer()).address() + x.offset(),
            x.rowStride(),
            CudaBuffer.of(weight.buffer()).address() + weight.offset(),
            accumulate,
            typeOf(out.dtype()),
            CudaBuffer.of(out.buffer()).address() + out.offset(),
            out.rowStride()));
  }

  /** CudaDataType, library_types.h. */
  private static int typeOf(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case F16 -> 2;
      case BF16 -> 14;
    };
  }
}
