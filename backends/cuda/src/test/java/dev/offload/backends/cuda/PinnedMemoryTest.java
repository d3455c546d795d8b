package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

final class PinnedMemoryTest {
  private static final long PIECE = 16 << 10;

  private final FakeDriver driver = new FakeDriver();
  private final PinnedMemory memory = new PinnedMemory(driver, PIECE);
  private int closed;

  private CudaPinnedBuffer allocate(long bytes) {
    return memory.allocate("weights", bytes, () -> closed++);
  }

  @Test
  void shouldPinInPieces() {
    CudaPinnedBuffer buffer = allocate(2 * PIECE + 5);
    assertEquals(0, buffer.segment().address() % 4096);
    assertEquals(List.of(PIECE, PIECE, 5L), sizes());
    assertEquals(0, buffer.segment().get(JAVA_BYTE, 2 * PIECE + 4));
    buffer.close();
    buffer.close();
    assertEquals(List.of(), sizes());
    assertEquals(1, closed);
  }

  private List<Long> sizes() {
    return driver.registered().values().stream().sorted((a, b) -> Long.compare(b, a)).toList();
  }

  @Test
  void shouldKeepCopiesWithinAPiece() {
    assertEquals(PIECE, memory.withinPiece(0, 3 * PIECE));
    assertEquals(1, memory.withinPiece(PIECE - 1, 100));
    assertEquals(100, memory.withinPiece(PIECE, 100));
  }

  @Test
  void shouldGoOnUnpinnedAtTheLimitAndSayItOnce() {
    List<String> warnings =
        warningsOf(
            () -> {
              driver.fail("register", CUresult.CUDA_ERROR_OUT_OF_MEMORY);
              try (CudaPinnedBuffer first = allocate(2 * PIECE);
                  CudaPinnedBuffer second = allocate(PIECE)) {
                assertEquals(2 * PIECE, first.bytes());
                assertEquals(PIECE, second.bytes());
                assertEquals(List.of(), sizes());
              }
            });
    assertEquals(2, closed);
    assertEquals(1, warnings.size());
    for (String part : new String[] {"0 B", "32.00 KiB", "weights", "ulimit -l", "memlock"}) {
      assertTrue(warnings.getFirst().contains(part), warnings::getFirst);
    }
  }

  @Test
  void shouldPinReadOnlyAllOrNothing() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mapped = arena.allocate(2 * PIECE + 5, 4096).asReadOnly();
      CudaPinnedBuffer buffer = memory.pinReadOnly(mapped, () -> closed++);
      assertEquals(List.of(PIECE, PIECE, 5L), sizes());
      assertEquals("registerReadOnly " + PIECE, driver.calls.getFirst());
      buffer.close();
      assertEquals(1, closed);
      driver.failAfter("registerReadOnly", 1, CUresult.CUDA_ERROR_INVALID_VALUE);
      assertThrows(CudaException.class, () -> memory.pinReadOnly(mapped, () -> closed++));
      assertEquals(List.of(), sizes());
      assertEquals(1, closed);
    }
  }

  @Test
  void shouldNotGoOnWithADeviceThatIsLost() {
    driver.fail("register", CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
    assertThrows(CudaException.class, () -> allocate(PIECE));
    assertEquals(0, closed);
  }

  private static List<String> warningsOf(Runnable action) {
    List<String> warnings = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            warnings.add(java.text.MessageFormat.format(entry.getMessage(), entry.getParameters()));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger(PinnedMemory.class.getName());
    logger.addHandler(handler);
    try {
      action.run();
    } finally {
      logger.removeHandler(handler);
    }
    return warnings;
  }
}
