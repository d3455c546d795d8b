package dev.offload.engine.kvcache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockTableTest {
  private static final int BLOCK_TOKENS = 16;

  @Test
  void shouldClaimWhatIsMissing() {
    BlockPool pool = new BlockPool(4);
    BlockTable table = new BlockTable(pool, BLOCK_TOKENS);
    assertTrue(table.ensure(0));
    assertEquals(0, table.blocks());
    assertTrue(table.ensure(1));
    assertTrue(table.ensure(16));
    assertEquals(1, table.blocks());
    assertEquals(2, table.missing(33));
    assertTrue(table.ensure(33));
    assertEquals(3, table.blocks());
    assertTrue(table.ensure(5), "there is room already");
    assertEquals(1, pool.freeBlocks());
  }

  @Test
  void shouldClaimNothingIfThereIsNotEnough() {
    BlockPool pool = new BlockPool(4);
    BlockTable table = new BlockTable(pool, BLOCK_TOKENS);
    assertTrue(table.ensure(20));
    assertFalse(table.ensure(65));
    assertEquals(2, table.blocks());
    assertEquals(2, pool.freeBlocks());
    table.release();
    assertEquals(0, table.blocks());
    assertEquals(4, pool.freeBlocks());
    assertTrue(table.ensure(64));
  }

  @Test
  void shouldNeverShareABlockNorMoveOne() {
    Random random = new Random(3);
    BlockPool pool = new BlockPool(23);
    List<BlockTable> tables = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      tables.add(new BlockTable(pool, BLOCK_TOKENS));
    }
    for (int step = 0; step < 2000; step++) {
      BlockTable table = tables.get(random.nextInt(tables.size()));
      List<Integer> before = numbers(table);
      if (random.nextInt(6) == 0) {
        table.release();
      } else if (table.ensure(random.nextInt(12 * BLOCK_TOKENS))) {
        assertEquals(before, numbers(table).subList(0, before.size()));
      } else {
        assertEquals(before, numbers(table));
      }
      BitSet used = new BitSet();
      for (BlockTable each : tables) {
        for (int block : numbers(each)) {
          assertFalse(used.get(block), "block " + block + " belongs to two");
          used.set(block);
        }
      }
      assertEquals(pool.blocks(), used.cardinality() + pool.freeBlocks());
    }
  }

  private static List<Integer> numbers(BlockTable table) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < table.blocks(); i++) {
      numbers.add(table.block(i));
    }
    return numbers;
  }
}
