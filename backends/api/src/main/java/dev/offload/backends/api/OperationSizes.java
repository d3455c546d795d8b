package dev.offload.backends.api;

import dev.offload.tensors.DType;
import java.util.List;

/**
 * The largest operations that a program will ask for, as far as a device's scratch depends on them.
 *
 * @param weights format of the weights of products; left operands have {@link
 *     DataLayout#matrixInput}
 * @param products the largest products; one that is no larger than one of these in any number needs
 *     no more than it
 * @param attention the largest attention
 */
public record OperationSizes(DType weights, List<Product> products, Attention attention) {
  public OperationSizes {
    products = List.copyOf(products);
  }

  /**
   * A product.
   *
   * @param rows of the left operand, of all groups together
   * @param groups of rows, each with a weight of its own; 1 for a plain product
   * @param inputs columns of the left operand
   */
  public record Product(int rows, int groups, int inputs) {}

  /**
   * Attention of one layer.
   *
   * @param rows of queries
   * @param heads of queries
   * @param cache what a block of its cache is
   */
  public record Attention(int rows, int heads, KvBlocks.Format cache) {}
}
