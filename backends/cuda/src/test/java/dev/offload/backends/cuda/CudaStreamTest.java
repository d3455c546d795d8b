package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.Indices;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CudaStreamTest {
  /** Place of the status among the arguments of gather_rows. */
  private static final int GATHER_STATUS = 12;

  @TempDir Path cache;
  private final FakeDriver driver = new FakeDriver();
  private CudaDevice device;
  private Stream stream;
  private Stream other;

  @BeforeEach
  void open() {
    device = FakeContext.device(driver, cache);
    stream = device.newStream("one");
    other = device.newStream("other");
  }

  @AfterEach
  void close() {
    stream.close();
    other.close();
    device.close();
    assertEquals(List.of(), driver.left());
  }

  @Test
  void shouldOrderWorkOfTwoStreamsByEvents() {
    int rounds = 20;
    try (PinnedBuffer numbers = device.allocatePinned("numbers", 4L * rounds);
        PinnedBuffer seen = device.allocatePinned("seen", 4L * rounds);
        DeviceBuffer cell = device.allocate("cell", 4)) {
      for (int i = 0; i < rounds; i++) {
        numbers.segment().setAtIndex(JAVA_INT, i, i);
        stream.copyToDevice(numbers, 4L * i, cell, 0, 4);
        other.await(stream.record());
        other.copyToHost(cell, 0, seen, 4L * i, 4);
        stream.await(other.record());
      }
      other.synchronize();
      for (int i = 0; i < rounds; i++) {
        assertEquals(i, seen.segment().getAtIndex(JAVA_INT, i));
      }
    }
  }

  @Test
  void shouldRunNothingBeforeItIsWaitedFor() {
    try (PinnedBuffer number = device.allocatePinned("number", 4);
        DeviceBuffer cell = device.allocate("cell", 4)) {
      stream.copyToDevice(number, 0, cell, 0, 4);
      Event event = stream.record();
      assertFalse(event.isDone());
      assertThrows(IllegalStateException.class, event::reachedNanos);
      event.synchronize();
      assertTrue(event.isDone());
      assertTrue(event.reachedNanos() <= System.nanoTime());
    }
  }

  @Test
  void shouldNotWaitForWhatIsReached() {
    Event event = stream.record();
    event.synchronize();
    driver.calls.clear();
    other.await(event);
    assertEquals(List.of(), driver.calls);
  }

  @Test
  void shouldUseMarksAgain() {
    for (int i = 0; i < 50; i++) {
      stream.synchronize();
    }
    long marks = driver.calls.stream().filter(call -> call.equals("newMark")).count();
    assertTrue(marks <= 3, () -> marks + " marks");
  }

  @Test
  void shouldKeepTimeOverHours() {
    driver.markMillis = 60_000;
    long before = 0;
    for (int i = 0; i < 200; i++) {
      Event event = stream.record();
      event.synchronize();
      assertTrue(event.reachedNanos() >= before);
      assertTrue(event.reachedNanos() <= System.nanoTime());
      before = event.reachedNanos();
    }
  }

  @Test
  void shouldSurfaceFailuresOnceAndOnlyBehindThem() {
    failInGatherRows(1234567);
    Event earlier = stream.record();
    gather();
    Event behind = stream.record();
    Event later = stream.record();
    earlier.synchronize();
    // It has no copy of the status, but stands behind one.
    IllegalStateException failure = assertThrows(IllegalStateException.class, later::synchronize);
    assertTrue(failure.getMessage().contains("1234567"), failure::getMessage);
    assertTrue(failure.getMessage().contains("one"), failure::getMessage);
    behind.synchronize();
    stream.synchronize();
    driver.kernels.clear();
    gather();
    stream.synchronize();
    failInGatherRows(7);
    gather();
    assertThrows(IllegalStateException.class, stream::synchronize);
    stream.synchronize();
  }

  @Test
  void shouldSurfaceFailuresWhenItIsClosed() {
    failInGatherRows(7);
    gather();
    assertThrows(IllegalStateException.class, stream::close);
    stream.close();
  }

  @Test
  void shouldReadTheStatusOnlyBehindKernelsThatMayFail() {
    gather();
    stream.record();
    stream.record();
    other.record();
    long copies = driver.calls.stream().filter(call -> call.startsWith("copyToHost")).count();
    assertEquals(1, copies);
  }

  private void failInGatherRows(int row) {
    driver.kernels.put(
        "gather_rows",
        arguments -> {
          var status = FakeDriver.at(arguments.applyAsLong(GATHER_STATUS), 16);
          status.setAtIndex(JAVA_INT, 0, 1);
          status.setAtIndex(JAVA_INT, 1, row);
        });
  }

  private void gather() {
    try (DeviceBuffer memory = device.allocate("rows", 4096)) {
      Matrix table = Matrix.dense(memory, 0, DType.F32, 3, 8);
      Matrix out = Matrix.dense(memory, 1024, DType.F32, 1, 8);
      device.operations().gatherRows(stream, table, new Indices(memory, 2048, 1), out);
    }
  }

  @Test
  void shouldEndWithTheDevice() {
    Event event = stream.record();
    driver.lose();
    IllegalStateException first = assertThrows(IllegalStateException.class, event::synchronize);
    assertTrue(first.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), first::getMessage);
    assertTrue(first.getMessage().contains("--resume"), first::getMessage);
    for (var use :
        List.<org.junit.jupiter.api.function.Executable>of(
            stream::record, () -> device.newStream("new"), () -> device.allocate("new", 1))) {
      IllegalStateException refusal = assertThrows(IllegalStateException.class, use);
      assertTrue(refusal.getMessage().contains("the device is lost"), refusal::getMessage);
      assertTrue(refusal.getCause() instanceof CudaException);
    }
  }

  @Test
  void shouldRefuseEventsOfADeviceOpenedApart() {
    FakeDriver apart = new FakeDriver();
    try (CudaDevice foreign = FakeContext.device(apart, cache);
        Stream foreignStream = foreign.newStream("foreign")) {
      Event event = foreignStream.record();
      assertThrows(IllegalArgumentException.class, () -> stream.await(event));
    }
    assertEquals(List.of(), apart.left());
  }

  @Test
  void shouldRefuseGridsThatCudaDoesNotHave() {
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class, () -> CudaStream.requireGrid("matmul", 1, 65_536));
    assertTrue(refusal.getMessage().contains("65536"), refusal::getMessage);
    CudaStream.requireGrid("matmul", Integer.MAX_VALUE, 65_535);
  }
}
