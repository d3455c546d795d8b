package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CpuStreamTest {
  private final WorkerPool workers = new WorkerPool(2);

  @AfterEach
  void endWorkers() {
    workers.close();
  }

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
  void shouldKeepNoWorkerWaiting() {
    CpuStream gated = newStream("gated");
    List<CpuStream> waiting = new ArrayList<>();
    CountDownLatch gate = new CountDownLatch(1);
    gated.submit(() -> awaitLatch(gate));
    Event open = gated.record();
    for (int i = 0; i < 5; i++) {
      CpuStream stream = newStream("waiting");
      stream.await(open);
      waiting.add(stream);
    }
    try (CpuStream other = newStream("other")) {
      AtomicBoolean ran = new AtomicBoolean();
      other.submit(() -> ran.set(true));
      other.synchronize(); // the one worker that is left is enough
      assertTrue(ran.get());
    }
    gate.countDown();
    waiting.forEach(CpuStream::synchronize);
    waiting.forEach(CpuStream::close);
    gated.close();
  }

  @Test
  void shouldRunOneThingAtATimeWhoeverRunsIt() {
    List<CpuStream> streams = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      streams.add(newStream("stream " + i));
    }
    int[] counts = new int[4];
    AtomicBoolean overlapped = new AtomicBoolean();
    AtomicBoolean[] inside = new AtomicBoolean[4];
    Arrays.setAll(inside, i -> new AtomicBoolean());
    for (int round = 0; round < 2000; round++) {
      for (int i = 0; i < 4; i++) {
        int of = i;
        streams
            .get(i)
            .submit(
                () -> {
                  overlapped.compareAndSet(false, inside[of].getAndSet(true));
                  counts[of]++;
                  inside[of].set(false);
                });
        streams.get((i + 1) % 4).await(streams.get(i).record());
      }
    }
    streams.forEach(CpuStream::synchronize);
    streams.forEach(CpuStream::close);
    assertFalse(overlapped.get());
    assertArrayEquals(new int[] {2000, 2000, 2000, 2000}, counts);
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
  void shouldReachTheEventBehindLongWorkBeforeOtherStreamsHaveTheirTurn() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    AtomicBoolean reachedBefore = new AtomicBoolean();
    AtomicBoolean ranBefore = new AtomicBoolean();
    AtomicBoolean goneOn = new AtomicBoolean();
    try (WorkerPool single = new WorkerPool(1);
        CpuStream first = new CpuStream("first", single, closed -> {});
        CpuStream second = new CpuStream("second", single, closed -> {})) {
      first.submit(
          () -> {
            begun.countDown();
            awaitLatch(gate);
          });
      Event behind = first.record();
      first.submit(() -> goneOn.set(true));
      second.submit(
          () -> {
            reachedBefore.set(behind.isDone());
            ranBefore.set(goneOn.get());
          });
      begun.await();
      Thread.sleep(1); // longer than a turn
      gate.countDown();
      first.synchronize();
      second.synchronize();
    }
    assertTrue(reachedBefore.get(), "its event");
    assertFalse(ranBefore.get(), "its next work");
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

  @ParameterizedTest
  @ValueSource(longs = {(1 << 20) - 1, 1 << 20, 3_000_001, (8 << 20) - 1, 13_000_003})
  void shouldCopyInTasks(long bytes) {
    try (Arena arena = Arena.ofShared();
        CpuStream stream = newStream("copy")) {
      CpuPinnedBuffer host = new CpuPinnedBuffer(arena.allocate(bytes + 7), () -> {});
      CpuBuffer device = new CpuBuffer(arena.allocate(bytes + 9), () -> {});
      CpuPinnedBuffer back = new CpuPinnedBuffer(arena.allocate(bytes), () -> {});
      for (long i = 0; i < bytes + 7; i++) {
        host.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 + i / 251));
      }
      stream.copyToDevice(host, 7, device, 9, bytes);
      stream.copyToHost(device, 9, back, 0, bytes);
      stream.synchronize();
      assertEquals(-1, host.segment().asSlice(7).mismatch(back.segment()));
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

  private CpuStream newStream(String name) {
    return new CpuStream(name, workers, closed -> {});
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
