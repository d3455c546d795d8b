package dev.offload.engine.kvcache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.planner.KvGroup;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks come back bit by bit, wherever they were and wherever they go. */
class SwapAreaTest {
  /** Unlike the system's temporary folder never in memory. */
  private static final Path FOLDER = Path.of("target");

  private static final int LAYERS = 3;
  private static final int BLOCKS = 9;
  private static final int PLACES = 6;

  private Device device;
  private KvStore cache;
  private final List<SwapArea> areas = new ArrayList<>();
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
    areas.add(new HostSwapArea(device, cache, PLACES, LAYERS));
    areas.add(openFile(FOLDER).orElseThrow());
    scratch = device.allocatePinned("scratch", cache.blockBytes());
    stream = device.newStream("test");
  }

  @AfterEach
  void close() {
    stream.close();
    scratch.close();
    areas.forEach(SwapArea::close);
    cache.close();
    assertEquals(0, device.allocatedBytes() + device.allocatedPinnedBytes());
    device.close();
  }

  static List<Arguments> ways() {
    List<Arguments> ways = new ArrayList<>();
    int homes = KvGroup.Home.values().length;
    for (int from = 0; from < homes; from++) {
      for (int to = 0; to < homes; to++) {
        ways.add(Arguments.of(Tier.HOST, from, to));
        ways.add(Arguments.of(Tier.DISK, from, to));
      }
    }
    return ways;
  }

  @ParameterizedTest
  @MethodSource("ways")
  void shouldBringBlocksBack(Tier tier, int from, int to) {
    SwapArea area = area(tier);
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
    assertTrue(area.tryRestore(saved, to, second, 0));
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], read(i / 5, to, second.block(i % 5)), "block " + i % 5);
    }
    assertEquals(PLACES, area.freePlaces());
    assertEquals(2 * 5 * LAYERS * cache.blockBytes(), area.copiedBytes());
    assertTrue(area.copyNanos(1) > 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"HOST", "DISK"})
  void shouldForgetWhatIsReleased(Tier tier) {
    area(tier).tryStore(0, table(), 0, PLACES).orElseThrow().release();
    assertEquals(PLACES, area(tier).freePlaces());
  }

  @Test
  void shouldTakeNothingMoreOnceTheFileFailed() {
    SwapArea file = area(Tier.DISK);
    BlockTable saved = file.tryStore(0, table(), 0, 2).orElseThrow();
    long copied = file.copiedBytes();
    // This closes the file.
    Thread.currentThread().interrupt();
    assertTrue(file.tryStore(0, table(), 0, 3).isEmpty());
    assertTrue(Thread.interrupted());
    assertEquals(PLACES - 2, file.freePlaces());
    assertFalse(file.tryRestore(saved, 0, table(), 0));
    assertEquals(PLACES, file.freePlaces());
    assertTrue(file.tryStore(0, table(), 0, 1).isEmpty());
    assertEquals(copied, file.copiedBytes());
  }

  @Test
  void shouldDoWithoutAFileThatCannotBeMade() {
    long pinned = device.allocatedPinnedBytes();
    assertTrue(openFile(FOLDER.resolve("is not there")).isEmpty());
    assertEquals(pinned, device.allocatedPinnedBytes());
  }

  @Test
  void shouldLeaveNoFileBehind() throws IOException {
    Path folder = Files.createTempDirectory(FOLDER, "swap");
    FileSwapArea file = openFile(folder).orElseThrow();
    assertTrue(file.tryStore(0, table(), 0, 1).isPresent());
    file.close();
    // Refuses a folder with files.
    Files.delete(folder);
  }

  private static BlockTable table() {
    BlockTable table = new BlockTable(new BlockPool(BLOCKS), 1);
    assertTrue(table.ensure(PLACES));
    return table;
  }

  private Optional<FileSwapArea> openFile(Path folder) {
    return FileSwapArea.tryOpen(device, cache, Optional.of(folder), PLACES, LAYERS);
  }

  private SwapArea area(Tier tier) {
    return areas.stream().filter(area -> area.tier() == tier).findFirst().orElseThrow();
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
