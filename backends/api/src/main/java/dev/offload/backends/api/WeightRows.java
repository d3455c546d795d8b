package dev.offload.backends.api;

/**
 * The rows of a left operand that one weight multiplies.
 *
 * @param weight the weight
 * @param firstRow first row of the left operand and of the product
 * @param rows how many, may be 0
 */
public record WeightRows(Weight weight, int firstRow, int rows) {}
