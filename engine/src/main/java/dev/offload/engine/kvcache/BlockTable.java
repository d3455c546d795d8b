package dev.offload.engine.kvcache;

import dev.offload.generation.TokenIds;
import java.util.Arrays;
import java.util.Optional;

/**
 * The cache blocks of one sequence in the order of its tokens. May begin with the blocks of a
 * prefix that it shares with others. Grows with the sequence, block by block, and gives all of them
 * back to the pool they came from. Not thread-safe.
 */
public final class BlockTable {
  private final BlockPool pool;
  private final int blockTokens;
  private int[] blocks = {};
  private Optional<CachedPrefix> prefix = Optional.empty();

  /**
   * An empty table.
   *
   * @param pool where its blocks come from
   * @param blockTokens tokens of a block
   */
  public BlockTable(BlockPool pool, int blockTokens) {
    this.pool = pool;
    this.blockTokens = blockTokens;
  }

  /**
   * Begins an empty table with the blocks of a shared prefix.
   *
   * @param tokens of the prefix, whole blocks, at least one
   * @return whether it was there or there is room for it; if not, nothing was claimed
   */
  public boolean begin(TokenIds tokens) {
    prefix = pool.prefixes().tryUse(tokens, tokens.size() / blockTokens);
    prefix.ifPresent(shared -> blocks = shared.blocks().clone());
    return prefix.isPresent();
  }

  /** The shared prefix that it begins with. */
  public Optional<CachedPrefix> prefix() {
    return prefix;
  }

  /** Blocks that would have to be claimed to have room for so many tokens in all. */
  public int missing(int tokens) {
    return Math.max(0, Math.ceilDiv(tokens, blockTokens) - blocks.length);
  }

  /**
   * Claims what is missing for so many tokens in all.
   *
   * @return whether there is room for them now; if not, nothing was claimed
   */
  public boolean ensure(int tokens) {
    return pool.tryClaim(missing(tokens)).map(this::append).isPresent();
  }

  private int[] append(int[] claimed) {
    int[] all = Arrays.copyOf(blocks, blocks.length + claimed.length);
    System.arraycopy(claimed, 0, all, blocks.length, claimed.length);
    blocks = all;
    return all;
  }

  /** Gives all blocks back; the table is empty then. */
  public void release() {
    int shared = prefix.map(of -> of.blocks().length).orElse(0);
    pool.release(Arrays.copyOfRange(blocks, shared, blocks.length));
    prefix.ifPresent(pool.prefixes()::leave);
    prefix = Optional.empty();
    blocks = new int[0];
  }

  /** Number of the block that holds the tokens from {@code i · blockTokens} on. */
  public int block(int i) {
    return blocks[i];
  }

  /** How many blocks there are. */
  public int blocks() {
    return blocks.length;
  }
}
