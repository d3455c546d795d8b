package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Event;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CpuStreamTest {

  @Test
  void shouldRunWorkInOrderWithoutBlockingTheCaller() {
    try (CpuStream stream = newStream("a")) {
      CountDownLatch gate = new CountDownLatch(1);
      List<Integer> order = new ArrayList<>();
      stream.submit(() -> awaitLatch(gate));
      for (int i = 0; i < 1000; i++) {
        int number = i;
        stream.submit(() -> order.add(number));
      }
      Event behind = stream.record();
      assertFalse(behind.isDone());
      assertThrows(IllegalStateException.class, behind::reachedNanos);
      gate.countDown();
      behind.synchronize();
      assertTrue(behind.isDone());
      assertEquals(1000, order.size());
      for (int i = 0; i < 1000; i++) {
        assertEquals(i, order.get(i));
      }
    }
  }

  @Test
  void shouldWaitForEventsOfOtherStreams() {
    try (CpuStream first = newStream("first");
        CpuStream second = newStream("second")) {
      CountDownLatch gate = new CountDownLatch(1);
      AtomicBoolean firstRan = new AtomicBoolean();
      AtomicBoolean seenBySecond = new AtomicBoolean();
      first.submit(() -> awaitLatch(gate));
      first.submit(() -> firstRan.set(true));
      Event early = first.record();
      second.await(early);
      second.submit(() -> seenBySecond.set(firstRan.get()));
      Event late = second.record();
      gate.countDown();
      late.synchronize();
      assertTrue(seenBySecond.get());
      assertTrue(early.reachedNanos() <= late.reachedNanos());
    }
  }

  @Test
  void shouldWakeAfterItHasParked() throws InterruptedException {
    try (CpuStream stream = newStream("sleepy")) {
      for (int i = 0; i < 50; i++) {
        Thread.sleep(1);
        stream.submit(() -> {});
        stream.synchronize();
      }
    }
  }

  @Test
  void shouldReportAFailureOnceAndSkipWhatIsBehindIt() {
    try (CpuStream stream = newStream("copy")) {
      RuntimeException cause = new RuntimeException("disk on fire");
      AtomicBoolean ranBehind = new AtomicBoolean();
      stream.submit(() -> fail(cause));
      stream.submit(() -> ranBehind.set(true));
      IllegalStateException reported =
          assertThrows(IllegalStateException.class, stream::synchronize);
      assertSame(cause, reported.getCause());
      assertTrue(reported.getMessage().contains("'copy'"), reported.getMessage());
      assertTrue(reported.getMessage().contains("disk on fire"), reported.getMessage());
      assertFalse(ranBehind.get());
      stream.submit(() -> ranBehind.set(true));
      stream.synchronize();
      assertTrue(ranBehind.get());
    }
  }

  @Test
  void shouldFailStreamsThatWaitForFailedWork() {
    try (CpuStream first = newStream("first");
        CpuStream second = newStream("second")) {
      Event healthy = first.record();
      first.submit(() -> fail(new RuntimeException("broken")));
      second.await(first.record());
      AtomicBoolean ran = new AtomicBoolean();
      second.submit(() -> ran.set(true));
      Event behind = second.record();
      assertThrows(IllegalStateException.class, behind::synchronize);
      assertFalse(ran.get());
      second.synchronize();
      assertThrows(IllegalStateException.class, first::synchronize);
      healthy.synchronize();
    }
  }

  @Test
  void shouldThrowAnUnreportedFailureOnClose() {
    CpuStream stream = newStream("forgotten");
    stream.submit(() -> fail(new RuntimeException("lost")));
    assertThrows(IllegalStateException.class, stream::close);
    stream.close();
    assertThrows(IllegalStateException.class, () -> stream.submit(() -> {}));
  }

  @Test
  void shouldCopyTheRangeAndNothingElse() {
    try (Arena arena = Arena.ofShared();
        CpuStream stream = newStream("copy")) {
      CpuPinnedBuffer host = new CpuPinnedBuffer(arena.allocate(64), () -> {});
      CpuBuffer device = new CpuBuffer(arena.allocate(64), () -> {});
      CpuBuffer other = new CpuBuffer(arena.allocate(64), () -> {});
      CpuPinnedBuffer back = new CpuPinnedBuffer(arena.allocate(64), () -> {});
      for (int i = 0; i < 64; i++) {
        host.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (i + 1));
      }
      stream.copyToDevice(host, 3, device, 5, 17);
      stream.copyOnDevice(device, 5, other, 1, 17);
      stream.copyToHost(other, 1, back, 40, 17);
      stream.synchronize();
      for (int i = 0; i < 64; i++) {
        int expected = i >= 40 && i < 57 ? i - 40 + 3 + 1 : 0;
        assertEquals(expected, back.segment().get(ValueLayout.JAVA_BYTE, i));
      }
    }
  }

  @Test
  void shouldRefuseCopiesBeyondABuffer() {
    try (Arena arena = Arena.ofShared();
        CpuStream stream = newStream("copy")) {
      MemorySegment bytes = arena.allocate(64);
      CpuPinnedBuffer host = new CpuPinnedBuffer(bytes, () -> {});
      CpuBuffer device = new CpuBuffer(arena.allocate(32), () -> {});
      assertThrows(
          IllegalArgumentException.class, () -> stream.copyToDevice(host, 0, device, 1, 32));
      assertThrows(
          IllegalArgumentException.class, () -> stream.copyToDevice(host, 60, device, 0, 5));
      assertThrows(IllegalArgumentException.class, () -> stream.copyToHost(device, -1, host, 0, 5));
      assertThrows(
          IllegalArgumentException.class, () -> stream.copyOnDevice(device, 0, device, 0, -1));
    }
  }

  private static CpuStream newStream(String name) {
    return new CpuStream(name, closed -> {});
  }

  private static void fail(RuntimeException cause) {
    throw cause;
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
