package dev.offload.backends.kernels;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Stream;
import dev.offload.backends.api.Vector;
import dev.offload.backends.api.Weight;
import dev.offload.tensors.DType;
import java.util.Optional;

/**
 * Products by a library, which adds to what a kernel has put into the result: the bias. That is
 * done in F32; where the result is narrower, in the scratch of the stream, some rows at a time, so
 * that it is rounded once. Formats that the library does not multiply go through the portable
 * kernel.
 */
final class LibraryProducts {
  private final KernelLauncher launcher;
  private final MatmulLauncher kernel;
  private final Optional<ProductLibrary> library;

  LibraryProducts(KernelLauncher launcher, Optional<ProductLibrary> library) {
    this.launcher = launcher;
    this.library = library;
    kernel = new MatmulLauncher(launcher);
  }

  boolean hasLibrary() {
    return library.isPresent();
  }

  void multiply(
      Stream stream,
      Matrix x,
      Weight weight,
      Optional<Vector> bias,
      boolean accumulate,
      Matrix out) {
    if (x.rows() == 0) {
      return;
    }
    DType sums = bias.isPresent() ? DType.F32 : out.dtype();
    if (library.isEmpty() || !library.get().multiplies(x.dtype(), weight.dtype(), sums)) {
      kernel.multiply(stream, x, weight, bias, accumulate, out);
      return;
    }
    if (bias.isEmpty()) {
      library.get().multiply(stream, x, weight, accumulate, out);
      return;
    }
    if (out.dtype() == DType.F32) {
      multiplyWithBias(library.get(), stream, x, weight, bias.get(), accumulate, out);
      return;
    }
    multiplyByParts(library.get(), stream, x, weight, bias.get(), out);
  }

  private void multiplyByParts(
      ProductLibrary library, Stream stream, Matrix x, Weight weight, Vector bias, Matrix out) {
    DeviceBuffer scratch = launcher.scratch(stream);
    long most = scratch.bytes() / ((long) Float.BYTES * out.columns());
    if (most < 1) {
      throw new IllegalArgumentException(
          "a row of %d sums does not fit the scratch of %d bytes"
              .formatted(out.columns(), scratch.bytes()));
    }
    for (int row = 0; row < x.rows(); ) {
      int rows = (int) Math.min(most, x.rows() - row);
      Matrix sums = Matrix.dense(scratch, 0, DType.F32, rows, out.columns());
      multiplyWithBias(library, stream, x.rows(row, rows), weight, bias, false, sums);
      launcher.launch(
          stream,
          new Launch("rows", "convert")
              .matrix(sums)
              .integer(out.columns())
              .matrix(out.rows(row, rows))
              .groups(rows, 1)
              .items(items()));
      row += rows;
    }
  }

  private void multiplyWithBias(
      ProductLibrary library,
      Stream stream,
      Matrix x,
      Weight weight,
      Vector bias,
      boolean accumulate,
      Matrix out) {
    launcher.launch(
        stream,
        new Launch("rows", "set_rows")
            .vector(Optional.of(bias))
            .integer(out.columns())
            .integer(accumulate ? 1 : 0)
            .matrix(out)
            .groups(out.rows(), 1)
            .items(items()));
    library.multiply(stream, x, weight, true, out);
  }

  private int items() {
    return Math.min(256, Integer.highestOneBit(launcher.limits().groupItems()));
  }
}
