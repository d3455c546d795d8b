package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;

import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Rotary position embedding. Error: a few units in the last place of F32. */
interface RopeConformance extends ConformanceTopic {
  double SHARE = 3e-7;

  @Check
  default void shouldRotateHeads() {
    for (DType dtype : DType.values()) {
      for (boolean interleaved : new boolean[] {false, true}) {
        repeat(8, fixture -> check(fixture, dtype, interleaved));
      }
    }
  }

  private static void check(DeviceFixture fixture, DType dtype, boolean interleaved) {
    int dimensions = 2 * fixture.any(1, 3, 8, 20, 32, 64);
    int width = dimensions + fixture.any(0, 0, 1, 16);
    int heads = fixture.any(1, 3, 15);
    int rows = fixture.any(1, 3, 40);
    double[][] x = fixture.numbers(rows, heads * width, 4, dtype);
    double[][] cosSin = fixture.numbers(rows, dimensions, 1, DType.F32);
    Matrix matrix = fixture.matrix(dtype, x);
    fixture
        .operations()
        .rope(
            fixture.stream(),
            matrix,
            heads,
            dimensions,
            interleaved,
            fixture.matrix(DType.F32, cosSin));
    ReferenceOperations.rope(x, heads, dimensions, interleaved, cosSin)
        .check(fixture.read(matrix), dtype, SHARE, "rope of " + dimensions + " in " + width);
    fixture.expectUntouchedBut(matrix);
  }

  @Check
  default void shouldRotateAndAppendAsOneAfterTheOther() {
    for (DType dtype : DType.values()) {
      for (boolean interleaved : new boolean[] {false, true}) {
        repeat(6, fixture -> checkAppended(fixture, dtype, interleaved));
      }
    }
  }

  private static void checkAppended(DeviceFixture fixture, DType dtype, boolean interleaved) {
    int dimensions = 2 * fixture.any(1, 3, 8, 20, 32);
    int width = dimensions + fixture.any(0, 0, 1, 16);
    boolean valuesInKeys = fixture.any(0, 0, 1) == 1;
    int valueWidth = valuesInKeys ? width - 1 : fixture.any(width, 1, 24);
    int kvHeads = fixture.any(1, 2, 5);
    int queryHeads = kvHeads * fixture.any(0, 1, 4);
    int rows = fixture.any(1, 3, 40);
    KvBlocks.Format format =
        new KvBlocks.Format(
            fixture.anyDtype(),
            fixture.any(fixture.operations().kvBlockTokens(), 1, 7),
            kvHeads,
            width,
            valueWidth,
            valuesInKeys);
    KvBlocks expected = fixture.kvBlocks(format, rows + 2);
    KvBlocks cache = fixture.kvBlocks(format, rows + 2);
    double[][] x = fixture.numbers(rows, (queryHeads + kvHeads) * width, 4, dtype);
    Matrix separate = fixture.matrix(dtype, x);
    Matrix together = fixture.matrix(dtype, x);
    Matrix values = fixture.matrix(dtype, fixture.numbers(rows, kvHeads * valueWidth, 2, dtype));
    Matrix cosSin = fixture.matrix(DType.F32, fixture.numbers(rows, dimensions, 1, DType.F32));
    RaggedBatch batch = tokensAnywhere(fixture, rows, cache);
    Operations operations = fixture.operations();
    operations.rope(
        fixture.stream(), separate, queryHeads + kvHeads, dimensions, interleaved, cosSin);
    operations.appendKv(
        fixture.stream(),
        separate.columns(queryHeads * width, kvHeads * width),
        values,
        batch,
        expected);
    fixture.expectUntouchedBut(whole(fixture, expected), separate);
    operations.rotateAndAppend(
        fixture.stream(), together, dimensions, interleaved, cosSin, values, batch, cache);
    assertArrayEquals(fixture.read(separate), fixture.read(together));
    assertArrayEquals(
        fixture.read(numbers(fixture, expected)), fixture.read(numbers(fixture, cache)));
    fixture.expectUntouchedBut(whole(fixture, cache), together);
  }

  /** Every row a sequence of one token, in a slot of its own of any block. */
  private static RaggedBatch tokensAnywhere(DeviceFixture fixture, int rows, KvBlocks cache) {
    List<Integer> order = new ArrayList<>();
    for (int slot = 0; slot < cache.blocks() * cache.format().blockTokens(); slot++) {
      order.add(slot);
    }
    Collections.shuffle(order, new Random(fixture.random().nextLong()));
    int[] slots = order.stream().mapToInt(slot -> slot).limit(rows).toArray();
    int[] blocks = Arrays.stream(slots).map(slot -> slot / cache.format().blockTokens()).toArray();
    int[] ones = new int[rows];
    Arrays.fill(ones, 1);
    return new RaggedBatch(
        rows,
        rows,
        1,
        1,
        fixture.indices(IntStream.rangeClosed(0, rows).toArray()),
        fixture.indices(ones),
        fixture.indices(blocks),
        fixture.indices(slots),
        List.of());
  }

  private static DeviceFixture.Written whole(DeviceFixture fixture, KvBlocks cache) {
    return DeviceFixture.Written.whole(cache, fixture.operations().kvBlockBytes(cache.format()));
  }

  /** The cache as rows, a block in each, in whichever order. */
  private static Matrix numbers(DeviceFixture fixture, KvBlocks cache) {
    DType dtype = cache.format().dtype();
    long blockBytes = fixture.operations().kvBlockBytes(cache.format());
    return Matrix.dense(
        cache.buffer(),
        cache.offset(),
        dtype,
        cache.blocks(),
        Math.toIntExact(blockBytes / dtype.bytes()));
  }

  @Check
  default void shouldRefuseKeysThatDoNotFitTheCache() {
    repeat(
        1,
        fixture -> {
          KvBlocks cache = fixture.kvBlocks(new KvBlocks.Format(DType.F32, 4, 2, 8, 8), 3);
          RaggedBatch batch = tokensAnywhere(fixture, 3, cache);
          Matrix values = fixture.output(DType.F32, 3, 16);
          Matrix factors = fixture.output(DType.F32, 3, 8);
          Matrix odd = fixture.output(DType.F32, 3, 20);
          Matrix narrow = fixture.output(DType.F32, 3, 8);
          Matrix few = fixture.output(DType.F32, 2, 32);
          Matrix x = fixture.output(DType.F32, 3, 32);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect(
              "8",
              "20",
              () ->
                  operations.rotateAndAppend(stream, odd, 8, false, factors, values, batch, cache));
          Refusals.expect(
              "8",
              "16",
              () ->
                  operations.rotateAndAppend(
                      stream, narrow, 8, false, factors, values, batch, cache));
          Refusals.expect(
              "2",
              "3",
              () ->
                  operations.rotateAndAppend(stream, few, 8, false, factors, values, batch, cache));
          Refusals.expect(
              "8",
              "16",
              () -> operations.rotateAndAppend(stream, x, 8, false, factors, narrow, batch, cache));
          fixture.expectUntouchedBut();
        });
  }

  @Check
  default void shouldRefuseFactorsThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          Matrix x = fixture.output(DType.F32, 3, 24);
          Matrix factors = fixture.output(DType.F32, 3, 8);
          Matrix few = fixture.output(DType.F32, 2, 8);
          Matrix wide = fixture.output(DType.F32, 3, 10);
          var operations = fixture.operations();
          var stream = fixture.stream();
          Refusals.expect("5", "24", () -> operations.rope(stream, x, 5, 4, false, factors));
          Refusals.expect("8", "10", () -> operations.rope(stream, x, 3, 8, false, wide));
          Refusals.expect("2", "3", () -> operations.rope(stream, x, 3, 8, false, few));
          Refusals.expect("10", "8", () -> operations.rope(stream, x, 3, 10, false, wide));
          fixture.expectUntouchedBut();
        });
  }
}
