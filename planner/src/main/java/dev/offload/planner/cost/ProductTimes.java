package dev.offload.planner.cost;

import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.tensors.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * How long matrix products take on a processor. Where products were measured: as the nearest
 * measured shape, by the logarithms of both sizes, in proportion to the elements, and between
 * measured numbers of rows on a straight line. Otherwise the larger of arithmetic at the peak rate
 * and memory traffic (the roofline of Williams, Waterman and Patterson, 2009).
 */
final class ProductTimes {
  private final Processor processor;
  private final DType dtype;
  private final Map<MatrixShape, NavigableMap<Double, Product>> measured = new HashMap<>();
  private final Map<MatrixShape, MatrixShape> nearest = new HashMap<>();

  ProductTimes(Processor processor, DType dtype) {
    this.processor = processor;
    this.dtype = dtype;
    for (Product product : processor.products()) {
      if (product.dtype() == dtype) {
        measured
            .computeIfAbsent(
                new MatrixShape(product.outputs(), product.inputs()), _ -> new TreeMap<>())
            .put((double) product.rows(), product);
      }
    }
  }

  /**
   * Seconds of {@code [rows, inputs] · [outputs, inputs]ᵀ}, at least one row.
   *
   * @param kept how much of the weights caches have, 0 to 1; all of them behind a product with the
   *     same
   */
  double seconds(MatrixShape shape, double rows, double kept) {
    double seconds = seconds(shape, rows, Product::seconds);
    return kept == 0
        ? seconds
        : seconds - kept * Math.max(0, seconds - seconds(shape, rows, Product::againSeconds));
  }

  private double seconds(MatrixShape shape, double rows, ToDoubleFunction<Product> of) {
    if (measured.isEmpty()) {
      return processor.launchSeconds() + Math.max(arithmetic(shape, rows), memory(shape, rows));
    }
    MatrixShape like = nearest.computeIfAbsent(shape, this::findNearest);
    double work = Math.max(0, along(measured.get(like), rows, of) - processor.launchSeconds());
    return processor.launchSeconds() + work * shape.elements() / like.elements();
  }

  /** Weights, rows in and rows out, which are float32, once each. */
  double bytes(MatrixShape shape, double rows) {
    return shape.elements() * dtype.bytes()
        + rows * ((double) shape.inputs() * dtype.bytes() + 4.0 * shape.outputs());
  }

  private double arithmetic(MatrixShape shape, double rows) {
    Double peak = processor.peakFlops().get(dtype);
    if (peak == null) {
      throw new IllegalArgumentException(
          "the hardware profile has no rate for products with %s weights, only for %s; choose one of these as compute format"
              .formatted(dtype, processor.peakFlops().keySet().stream().sorted().toList()));
    }
    return 2 * rows * shape.elements() / peak;
  }

  private double memory(MatrixShape shape, double rows) {
    return bytes(shape, rows) / processor.memoryBytesPerSecond();
  }

  private MatrixShape findNearest(MatrixShape shape) {
    MatrixShape best = null;
    double least = Double.POSITIVE_INFINITY;
    for (MatrixShape candidate : List.copyOf(measured.keySet())) {
      double distance =
          Math.hypot(
              Math.log((double) candidate.outputs() / shape.outputs()),
              Math.log((double) candidate.inputs() / shape.inputs()));
      // The smaller shape of two equally near ones, whatever the order of the map.
      if (distance < least || (distance == least && candidate.elements() < best.elements())) {
        best = candidate;
        least = distance;
      }
    }
    return best;
  }

  /** Fewer rows than measured take as long; more take longer in proportion. */
  private static double along(
      NavigableMap<Double, Product> curve, double rows, ToDoubleFunction<Product> of) {
    Map.Entry<Double, Product> below = curve.floorEntry(rows);
    Map.Entry<Double, Product> above = curve.ceilingEntry(rows);
    if (below == null) {
      return of.applyAsDouble(above.getValue());
    }
    double least = of.applyAsDouble(below.getValue());
    if (above == null) {
      return least * rows / below.getKey();
    }
    double width = above.getKey() - below.getKey();
    double part = width == 0 ? 0 : (rows - below.getKey()) / width;
    return least + part * (of.applyAsDouble(above.getValue()) - least);
  }
}
