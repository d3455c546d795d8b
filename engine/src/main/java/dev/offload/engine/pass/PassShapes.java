package dev.offload.engine.pass;

import dev.offload.engine.kvcache.BlockRuns;
import dev.offload.planner.PassShape;
import dev.offload.sampling.WantedLogits;
import java.util.BitSet;
import java.util.List;

/** Says how much a pass has to do, for schedules. */
public final class PassShapes {
  private final int blockTokens;
  private final long blockBytes;

  /**
   * @param blockTokens tokens of a cache block
   * @param blockBytes its bytes in one layer
   */
  public PassShapes(int blockTokens, long blockBytes) {
    this.blockTokens = blockTokens;
    this.blockBytes = blockBytes;
  }

  /** The shape of a pass whose sequences have their cache blocks. */
  public PassShape of(Pass pass) {
    return new PassShape(
        pass.microBatches().stream().map(this::of).toList(),
        pass.wholeRows(),
        pass.logitsRows() - pass.wholeRows(),
        pass.best().map(WantedLogits::numbers).orElse(0));
  }

  private PassShape.MicroBatch of(List<Chunk> chunks) {
    int tokens = 0;
    int promptTokens = 0;
    int decoding = 0;
    long decodeKeys = 0;
    long promptPairs = 0;
    for (Chunk chunk : chunks) {
      tokens += chunk.count();
      promptTokens += chunk.promptTokens();
      if (chunk.count() == 1) {
        decoding++;
        decodeKeys += chunk.contextLength();
      } else {
        promptPairs += (chunk.first() + 1L + chunk.contextLength()) * chunk.count() / 2;
      }
    }
    return new PassShape.MicroBatch(
        tokens,
        promptTokens,
        chunks.size(),
        decoding,
        decodeKeys,
        promptPairs,
        blockBytes * usedBlocks(chunks, blockTokens).blocks(),
        blockBytes * writtenBlocks(chunks, blockTokens).blocks());
  }

  /** Cache blocks that hold something before or after the pass. */
  static BlockRuns usedBlocks(List<Chunk> chunks, int blockTokens) {
    return blocks(chunks, blockTokens, false);
  }

  /** Cache blocks that the pass writes. */
  static BlockRuns writtenBlocks(List<Chunk> chunks, int blockTokens) {
    return blocks(chunks, blockTokens, true);
  }

  private static BlockRuns blocks(List<Chunk> chunks, int blockTokens, boolean writtenOnly) {
    BitSet blocks = new BitSet();
    for (Chunk chunk : chunks) {
      int end = Math.ceilDiv(chunk.contextLength(), blockTokens);
      for (int b = writtenOnly ? chunk.first() / blockTokens : 0; b < end; b++) {
        blocks.set(chunk.sequence().blocks().block(b));
      }
    }
    return new BlockRuns(blocks);
  }
}
