package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CudaDeviceTest {
  @TempDir Path cache;
  private final FakeDriver driver = new FakeDriver();

  private CudaDevice open(long bytes) {
    return CudaDevice.open(
        FakeContext.open(driver, Optional.empty(), cache), FakeContext.options(bytes));
  }

  /** Who opens a device with less by the overhead stays within a budget. */
  @Test
  void shouldTakeNoMoreThanBudgetAndOverhead() {
    long overhead = CudaDevice.overheadBytes(FakeContext.open(driver, Optional.empty(), cache));
    long budget = 1L << 30;
    try (CudaDevice device = open(budget - overhead)) {
      assertEquals(budget - overhead, device.facts().memoryBytes());
      try (DeviceBuffer all = device.allocate("all", budget - overhead)) {
        assertEquals(budget - overhead, all.bytes());
        assertThrows(MemoryBudgetException.class, () -> device.allocate("one more", 1));
      }
      long allocated = allocations().sum();
      assertTrue(allocated + FakeDriver.CONTEXT_BYTES <= budget, () -> allocated + " bytes");
    }
    assertEquals(List.of(), driver.left());
  }

  /** The plan's sizes add up to the budget; that they are rounded to pages costs nothing. */
  @Test
  void shouldGiveTheWholeBudgetInOddPieces() {
    try (CudaDevice device = open(1L << 30)) {
      long rest = device.facts().memoryBytes();
      List<DeviceBuffer> pieces = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        pieces.add(device.allocate("odd", 4097));
      }
      pieces.add(device.allocate("the rest", rest - 300 * 4097L));
      assertEquals(rest, device.allocatedBytes());
      pieces.forEach(DeviceBuffer::close);
    }
    assertEquals(1, allocations().count());
    assertEquals(List.of(), driver.left());
  }

  private LongStream allocations() {
    return driver.calls.stream()
        .filter(call -> call.startsWith("allocate "))
        .mapToLong(call -> Long.parseLong(call.split(" ", -1)[1]));
  }

  @Test
  void shouldRefuseBudgetsAboveWhatIsFree() {
    driver.usedByOthers = 3L << 30;
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> open(1L << 30));
    assertTrue(refusal.getMessage().contains("1.00 GiB is asked for"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("370.00 MiB can be had"), refusal::getMessage);
    assertEquals(List.of(), driver.left());
  }

  @Test
  void shouldSetAsideScratchForTwoStreams() {
    try (CudaDevice device = FakeContext.device(driver, cache);
        Stream first = device.newStream("first")) {
      long one = scratch(device, first);
      try (Stream second = device.newStream("second");
          Stream third = device.newStream("third")) {
        assertTrue(Math.abs(scratch(device, second) - one) >= Workspaces.BYTES);
        assertEquals(0, device.allocatedBytes());
        MemoryBudgetException refusal =
            assertThrows(MemoryBudgetException.class, () -> device.scratch(third));
        assertTrue(refusal.getMessage().contains("third"), refusal::getMessage);
      }
      try (Stream next = device.newStream("next")) {
        assertTrue(Math.abs(scratch(device, next) - one) >= Workspaces.BYTES);
      }
    }
    assertEquals(List.of(), driver.left());
  }

  private static long scratch(CudaDevice device, Stream stream) {
    DeviceBuffer scratch = device.scratch(stream);
    assertEquals(Workspaces.SCRATCH_BYTES, scratch.bytes());
    return CudaBuffer.of(scratch).address();
  }

  @Test
  void shouldReleaseWhatWasForgottenInOrder() {
    CudaDevice device = FakeContext.device(driver, cache);
    device.newStream("forgotten");
    device.allocate("forgotten", 100);
    device.allocatePinned("forgotten", 100);
    driver.calls.clear();
    device.close();
    device.close();
    assertEquals(List.of(), driver.left());
    List<String> kinds =
        driver.calls.stream().map(call -> call.split(" ", -1)[0]).distinct().toList();
    assertEquals(
        List.of("newMark", "record", "destroyQueue", "unregister", "destroyMark", "free", "close"),
        kinds);
    assertThrows(IllegalStateException.class, () -> device.allocate("late", 1));
  }

  /** Files are mapped read-only, copied from where they are, and count by the page. */
  @Test
  void shouldCopyFromFilesWhereTheyAre() throws IOException {
    byte[] numbers = new byte[10_000];
    new Random(3).nextBytes(numbers);
    Path file = Files.write(cache.resolve("weights"), numbers);
    try (CudaDevice device = FakeContext.device(driver, cache);
        Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 10_000, arena);
      try (PinnedBuffer pinned = device.tryPin("weights", mapped).orElseThrow();
          PinnedBuffer back = device.allocatePinned("back", 5000);
          DeviceBuffer there = device.allocate("there", 5000);
          Stream stream = device.newStream("copy")) {
        assertEquals(List.of(10_000L), registered("registerReadOnly"));
        assertEquals(3 * 4096 + 5000, device.allocatedPinnedBytes());
        stream.copyToDevice(pinned, 4001, there, 0, 5000);
        stream.copyToHost(there, 0, back, 0, 5000);
        stream.synchronize();
        assertArrayEquals(
            Arrays.copyOfRange(numbers, 4001, 9001), back.segment().toArray(JAVA_BYTE));
      }
      assertEquals(0, device.allocatedPinnedBytes());
    }
    assertEquals(List.of(), driver.left());
  }

  private List<Long> registered(String call) {
    return driver.calls.stream()
        .filter(each -> each.startsWith(call + " "))
        .map(each -> Long.valueOf(each.substring(call.length() + 1)))
        .toList();
  }

  /** Old drivers, file systems and limits: whoever asks copies to pinned memory instead. */
  @Test
  void shouldSayNoWhereFilesCannotBePinned() {
    try (CudaDevice device = FakeContext.device(driver, cache);
        Arena arena = Arena.ofShared()) {
      MemorySegment mapped = arena.allocate(8192, 4096).asReadOnly();
      driver.fail("registerReadOnly", CUresult.CUDA_ERROR_NOT_PERMITTED);
      assertTrue(device.tryPin("weights", mapped).isEmpty());
      assertEquals(0, device.allocatedPinnedBytes());
      driver.fail("registerReadOnly", CUresult.CUDA_ERROR_ILLEGAL_ADDRESS);
      assertThrows(CudaException.class, () -> device.tryPin("weights", mapped));
      assertThrows(
          IllegalArgumentException.class, () -> device.tryPin("weights", mapped.asSlice(64)));
    }
    FakeDriver old = new FakeDriver();
    old.pinsReadOnly = false;
    try (CudaDevice device = FakeContext.device(old, cache);
        Arena arena = Arena.ofShared()) {
      assertTrue(device.tryPin("weights", arena.allocate(8192, 4096)).isEmpty());
      assertTrue(old.calls.stream().noneMatch(call -> call.startsWith("registerReadOnly")));
    }
  }

  @Test
  void shouldLeaveNothingWhenOpeningFails() {
    driver.fail("newQueue", CUresult.CUDA_ERROR_OUT_OF_MEMORY);
    CudaException failure = assertThrows(CudaException.class, () -> open(1L << 30));
    assertTrue(failure.getMessage().contains("nvidia-smi"), failure::getMessage);
    assertEquals(List.of(), driver.left());
  }

  @Test
  void shouldSayWhatDoesTheProducts() {
    try (CudaDevice device = FakeContext.device(driver, cache)) {
      String details = device.facts().details();
      assertTrue(details.contains("compute capability 9.0"), details);
      assertTrue(details.contains("CUDA 13.0"), details);
      assertTrue(details.contains("no cuBLAS: products by the portable kernel"), details);
    }
  }
}
