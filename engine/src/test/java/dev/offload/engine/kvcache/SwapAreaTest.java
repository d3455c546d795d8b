package dev.offload.engine.kvcache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.KvGroup;
import dev.offload.tensors.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks come back bit by bit, wherever they were and wherever they go. */
class SwapAreaTest {
  private static final int LAYERS = 3;
  private static final int BLOCKS = 9;
  private static final int PLACES = 6;

  private Device device;
  private KvStore cache;
  private SwapArea area;
  private PinnedBuffer scratch;
  private Stream stream;

  @BeforeEach
  void open() {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    device = backend.open(new DeviceOptions(0, 1 << 24, 1 << 24, 1));
    KvBlocks.Format format =
        new KvBlocks.Format(DType.F32, device.operations().kvBlockTokens(), 2, 16, 8);
    List<KvGroup> groups =
        List.of(KvGroup.Home.values()).stream().map(h -> new KvGroup(h, BLOCKS, 4)).toList();
    cache = new KvStore(device, device, format, groups, 1, LAYERS);
    area = new SwapArea(device, cache, PLACES, LAYERS);
    scratch = device.allocatePinned("scratch", cache.blockBytes());
    stream = device.newStream("test");
  }

  @AfterEach
  void close() {
    stream.close();
    scratch.close();
    area.close();
    cache.close();
    assertEquals(0, device.allocatedBytes() + device.allocatedPinnedBytes());
    device.close();
  }

  static List<Arguments> ways() {
    List<Arguments> ways = new ArrayList<>();
    int homes = KvGroup.Home.values().length;
    for (int from = 0; from < homes; from++) {
      for (int to = 0; to < homes; to++) {
        ways.add(Arguments.of(from, to));
      }
    }
    return ways;
  }

  @ParameterizedTest
  @MethodSource("ways")
  void shouldBringBlocksBack(int from, int to) {
    BlockPool pool = new BlockPool(BLOCKS);
    BlockTable first = new BlockTable(pool, 1);
    BlockTable between = new BlockTable(pool, 1);
    // Neighbours, a gap, neighbours.
    assertTrue(first.ensure(2) && between.ensure(2) && first.ensure(5));
    byte[][] expected = new byte[LAYERS * 5][];
    Random random = new Random(from * 3L + to);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = new byte[(int) cache.blockBytes()];
      random.nextBytes(expected[i]);
      write(i / 5, from, first.block(i % 5), expected[i]);
    }
    BlockTable saved = area.tryStore(from, first, 0, 5).orElseThrow();
    assertEquals(1, area.freePlaces());
    assertTrue(area.tryStore(from, first, 0, 2).isEmpty(), "there is room for one");
    for (int layer = 0; layer < LAYERS; layer++) {
      for (int block = 0; block < BLOCKS; block++) {
        write(layer, from, block, new byte[(int) cache.blockBytes()]);
      }
    }
    BlockPool others = new BlockPool(BLOCKS);
    BlockTable gap = new BlockTable(others, 1);
    BlockTable second = new BlockTable(others, 1);
    assertTrue(gap.ensure(1) && second.ensure(3) && gap.ensure(2) && second.ensure(6));
    area.restore(saved, to, second, 0);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], read(i / 5, to, second.block(i % 5)), "block " + i % 5);
    }
    assertEquals(PLACES, area.freePlaces());
    assertEquals(2 * 5 * LAYERS * cache.blockBytes(), area.copiedBytes());
    assertTrue(area.copyNanos() > 0);
  }

  @Test
  void shouldForgetWhatIsReleased() {
    BlockTable table = new BlockTable(new BlockPool(BLOCKS), 1);
    assertTrue(table.ensure(PLACES));
    area.tryStore(0, table, 0, PLACES).orElseThrow().release();
    assertEquals(PLACES, area.freePlaces());
  }

  private void write(int layer, int group, int block, byte[] bytes) {
    MemorySegment.copy(bytes, 0, scratch.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
    cache.copyIn(stream, layer, group, block, scratch, 0, bytes.length);
    stream.synchronize();
  }

  private byte[] read(int layer, int group, int block) {
    cache.copyOut(stream, layer, group, block, scratch, 0, cache.blockBytes());
    stream.synchronize();
    return scratch.segment().asSlice(0, cache.blockBytes()).toArray(ValueLayout.JAVA_BYTE);
  }
}
