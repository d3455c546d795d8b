package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertArrayEquals;
import static dev.offload.backends.conformance.Assertions.assertThrows;
import static dev.offload.backends.conformance.Assertions.assertTrue;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.tensors.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The KV cache and attention over it. */
interface AttentionConformance extends ConformanceTopic {

  /**
   * Error relative to the weighted sum of the magnitudes of the values. An error of a score is a
   * relative error of a weight, and the error of a score grows with the size of its summands.
   */
  static double share(int context, double scoreSize) {
    return 0x1p-23 * (16 + 2 * Math.sqrt(context) + 4 * scoreSize);
  }

  @Check
  default void shouldAttendToRaggedBatches() {
    repeatForPairs(
        (fixture, rowType, cacheType) -> {
          AttentionRun run = new AttentionRun(fixture, rowType, cacheType);
          run.contexts = new int[] {1, 40, 5, 17, 130, 16};
          run.rows = new int[] {1, 1, 5, 3, 70, 1};
          run.check();
        });
  }

  @Check
  default void shouldShareKvHeads() {
    for (int group = 1; group <= 8; group++) {
      int queriesPerHead = group;
      repeat(
          2,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, DType.BF16);
            run.groupHeads = queriesPerHead;
            run.contexts = new int[] {33, 70};
            run.rows = new int[] {33, 1};
            run.check();
          });
    }
  }

  @Check
  default void shouldLookBackNoFartherThanTheWindow() {
    for (int window : new int[] {1, 2, 15, 16, 17, 64, 100, 1000}) {
      repeat(
          2,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
            run.contexts = new int[] {300, 3, 90, 700};
            run.rows = new int[] {1, 2, 90, 9};
            run.window = window;
            run.check();
          });
    }
  }

  @Check
  default void shouldNotReadBlocksBeforeTheWindow() {
    repeat(
        4,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.BF16, DType.BF16);
          run.contexts = new int[] {300, 90, 700};
          run.rows = new int[] {1, 20, 3};
          run.window = fixture.any(1, 20, 70);
          run.dropsBlocks = true;
          run.check();
        });
  }

  @Check
  default void shouldCapScores() {
    for (double range : new double[] {1, 10}) {
      repeat(
          3,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, DType.F32);
            run.contexts = new int[] {50, 100};
            run.rows = new int[] {1, 40};
            run.softCap = 5;
            run.range = range;
            run.check();
          });
    }
  }

  @Check
  default void shouldCountSinks() {
    repeat(
        6,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
          run.contexts = new int[] {50, 1, 600};
          run.rows = new int[] {20, 1, 1};
          run.window = fixture.any(0, 30);
          run.sinkRange = fixture.any(1, 50);
          run.check();
        });
  }

  @Check
  default void shouldStandLargeLogits() {
    repeat(
        6,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.F32);
          run.contexts = new int[] {50, 300};
          run.rows = new int[] {50, 2};
          run.range = 60;
          run.check();
        });
  }

  @Check
  default void shouldAttendToLongContexts() {
    repeat(
        2,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.BF16);
          run.contexts = new int[] {2100, 513};
          run.rows = new int[] {1, 2};
          run.check();
        });
  }

  @Check
  default void shouldTakeOtherBlockSizes() {
    for (int blockTokens : new int[] {1, 3, 16, 32, 48, 256}) {
      repeat(
          1,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
            run.blockTokens = blockTokens;
            run.contexts = new int[] {1, 100, 333};
            run.rows = new int[] {1, 60, 1};
            run.check();
          });
    }
  }

  @Check
  default void shouldTakeOddWidths() {
    int[][] widths = {{1, 1}, {3, 5}, {13, 64}, {128, 128}, {192, 128}, {80, 80}};
    for (int[] width : widths) {
      repeat(
          2,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
            run.headDim = width[0];
            run.valueDim = width[1];
            run.contexts = new int[] {20, 100};
            run.rows = new int[] {20, 1};
            run.check();
          });
    }
  }

  @Check
  default void shouldTakeValuesFromKeys() {
    int[][] widths = {{1, 1}, {5, 3}, {32, 24}, {80, 64}, {576, 512}};
    for (int[] width : widths) {
      repeat(
          3,
          fixture -> {
            AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
            run.blockTokens = fixture.any(1, 7, 16, run.blockTokens);
            run.headDim = width[0];
            run.valueDim = width[1];
            run.valuesInKeys = true;
            run.contexts = new int[] {20, 100, 1};
            run.rows = new int[] {20, 1, 1};
            run.window = fixture.any(0, 0, 30);
            run.check();
          });
    }
  }

  @Check
  default void shouldGiveARowTheSameResultInAnyCompany() {
    repeat(
        2,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.BF16);
          run.contexts = new int[] {600, 90};
          run.rows = new int[] {40, 90};
          double[][] together = run.check();
          AttentionRun alone = run.lastRowsOnly();
          double[][] last = alone.attend(alone.batch());
          for (int s = 0; s < 2; s++) {
            double[] want = together[s == 0 ? 39 : 129];
            assertArrayEquals(want, last[s]);
          }
        });
  }

  @Check
  default void shouldAttendToSharedPrefixes() {
    repeat(
        12,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, fixture.anyDtype());
          run.blockTokens = fixture.any(1, 7, 16, run.blockTokens);
          run.softCap = fixture.any(0, 0, 5);
          run.sinkRange = fixture.any(0, 0, 5);
          run.window = fixture.any(0, 0, 0, 20, 400);
          addSequences(fixture, run);
          double[][] shared = run.check();
          if (fixture.operations().attendsToPrefixesExactly()) {
            assertArrayEquals(run.attend(run.batchWithoutPrefixes()), shared);
          }
        });
  }

  /**
   * Some that share prefixes of several lengths, decoding or with chunks of a prompt, and others.
   */
  private static void addSequences(DeviceFixture fixture, AttentionRun run) {
    List<Integer> contexts = new ArrayList<>();
    List<Integer> rows = new ArrayList<>();
    run.prefixes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      boolean alone = fixture.any(0, 1, 1) == 0;
      int blocks = alone ? 0 : fixture.any(1, 5, 64, 100, 320, 530) / run.blockTokens;
      int sharers = fixture.any(1, 2, 3, 17, 40);
      if (!alone) {
        run.prefixes.add(new SharedPrefix(contexts.size(), sharers, blocks * run.blockTokens));
      }
      for (int s = 0; s < sharers; s++) {
        int own = fixture.any(1, 2, 30, 70, 300);
        contexts.add(blocks * run.blockTokens + own);
        rows.add(Math.min(own, fixture.any(1, 1, 1, 5, 40)));
      }
    }
    run.contexts = contexts.stream().mapToInt(Integer::intValue).toArray();
    run.rows = rows.stream().mapToInt(Integer::intValue).toArray();
  }

  @Check
  default void shouldRefusePrefixesThatAreNotShared() {
    repeat(
        1,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.F32);
          int block = run.blockTokens;
          run.contexts = new int[] {3 * block, 3 * block};
          run.rows = new int[] {1, block + 1};
          run.prefixes = List.of(new SharedPrefix(0, 2, block));
          run.prepare();
          RaggedBatch good = run.batch();
          run.attend(good);
          Refusals.expect(
              "2", "3", () -> run.attend(prefixes(good, new SharedPrefix(0, 3, block))));
          Refusals.expect(
              "" + block,
              "" + (block + 1),
              () -> run.attend(prefixes(good, new SharedPrefix(0, 2, block + 1))));
          Refusals.expect(
              "0",
              "2",
              () ->
                  run.attend(prefixes(good, new SharedPrefix(0, 2, 0), new SharedPrefix(0, 1, 0))));
          RaggedBatch notShared = prefixes(good, new SharedPrefix(0, 2, 2 * block));
          IllegalStateException failure =
              assertThrows(IllegalStateException.class, () -> run.attend(notShared));
          assertTrue(failure.getMessage().contains("sequences 0 and 1"), failure::getMessage);
          fixture.stream().synchronize();
        });
  }

  private static RaggedBatch prefixes(RaggedBatch batch, SharedPrefix... prefixes) {
    return SequenceCase.withPrefixes(batch, List.of(prefixes));
  }

  @Check
  default void shouldRefuseOperandsThatDoNotFit() {
    repeat(
        1,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.F32);
          int context = run.blockTokens + 4;
          run.contexts = new int[] {context};
          run.rows = new int[] {2};
          run.prepare();
          RaggedBatch batch = run.batch();
          KvBlocks cache = run.cache();
          int heads = cache.format().heads();
          Matrix narrow = fixture.output(DType.F32, 2, 7);
          Matrix few = fixture.output(DType.F32, 1, heads * cache.format().headDim());
          var operations = fixture.operations();
          var stream = fixture.stream();
          AttentionSpec spec = new AttentionSpec(heads, 1, 0, 0, Optional.empty());
          Refusals.expect(
              "7",
              "" + heads * cache.format().headDim(),
              () -> operations.attention(stream, narrow, cache, batch, spec, narrow));
          Refusals.expect(
              "1", "2", () -> operations.attention(stream, few, cache, batch, spec, few));
          Refusals.expect(
              "7",
              "" + heads * cache.format().headDim(),
              () -> operations.appendKv(stream, narrow, narrow, batch, cache));
        });
  }

  @Check
  default void shouldReportBlocksThatDoNotExist() {
    repeat(
        1,
        fixture -> {
          AttentionRun run = new AttentionRun(fixture, DType.F32, DType.F32);
          int context = run.blockTokens + 4;
          run.contexts = new int[] {context};
          run.rows = new int[] {2};
          run.prepare();
          RaggedBatch good = run.batch();
          RaggedBatch bad =
              new RaggedBatch(
                  1,
                  2,
                  2,
                  context,
                  good.rowStarts(),
                  good.contextLengths(),
                  fixture.indices(0, 1000),
                  good.slots(),
                  List.of());
          IllegalStateException failure =
              assertThrows(IllegalStateException.class, () -> run.attend(bad));
          assertTrue(failure.getMessage().contains("1000"), failure::getMessage);
          fixture.stream().synchronize();
        });
  }
}
