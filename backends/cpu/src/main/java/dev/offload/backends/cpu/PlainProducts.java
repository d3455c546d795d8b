package dev.offload.backends.cpu;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * F32 products of oneDNN with weights [inputs, {@link TileKernel#COLUMNS}] that lie in plain order.
 * oneDNN compiles code for each size, about a millisecond each, so products are kept. Thread-safe.
 */
final class PlainProducts {
  private final Dnnl dnnl;
  private final Map<Integer, Dnnl.WeightOrder> orders = new ConcurrentHashMap<>();
  private final Map<Size, Dnnl.Product> products = new ConcurrentHashMap<>();

  PlainProducts(Dnnl dnnl) {
    this.dnnl = dnnl;
  }

  /**
   * What a product is compiled for.
   *
   * @param rows of the left operand
   * @param inputs columns of the left operand
   * @param inputStride numbers between rows of the left operand
   * @param outputStride numbers between rows of the result
   * @param accumulate whether the result is added to what is there
   */
  record Size(int rows, int inputs, int inputStride, int outputStride, boolean accumulate) {}

  Dnnl.Product get(Size size) {
    return products.computeIfAbsent(size, this::compile);
  }

  int compiledSizes() {
    return products.size();
  }

  private Dnnl.Product compile(Size size) {
    return orders
        .computeIfAbsent(size.inputs, inputs -> dnnl.plainOrder(inputs, TileKernel.COLUMNS))
        .newProduct(size.rows, size.inputStride, size.outputStride, size.accumulate);
  }
}
