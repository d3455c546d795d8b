package dev.offload.backends.conformance;

import static dev.offload.backends.conformance.Assertions.assertEquals;
import static dev.offload.backends.conformance.Assertions.assertThrows;
import static dev.offload.backends.conformance.Assertions.assertTrue;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.Event;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.DType;

/** Order, asynchrony, copies and how errors surface. */
interface StreamConformance extends ConformanceTopic {

  @Check
  default void shouldCopyAnyRange() {
    repeat(
        6,
        fixture -> {
          int bytes = fixture.any(1, 13, 4096, 100_003);
          Device device = fixture.device();
          Stream stream = fixture.stream();
          try (PinnedBuffer in = device.allocatePinned("in", bytes + 7);
              PinnedBuffer out = device.allocatePinned("out", bytes + 5);
              DeviceBuffer first = device.allocate("first", bytes + 3);
              DeviceBuffer second = device.allocate("second", bytes + 9)) {
            for (int i = 0; i < in.bytes(); i++) {
              in.segment().set(JAVA_BYTE, i, (byte) fixture.random().nextInt());
            }
            stream.copyToDevice(in, 7, first, 3, bytes);
            stream.copyOnDevice(first, 3, second, 9, bytes);
            stream.copyToHost(second, 9, out, 5, bytes);
            stream.synchronize();
            assertEquals(-1, in.segment().asSlice(7).mismatch(out.segment().asSlice(5)));
            for (int i = 0; i < 5; i++) {
              assertEquals(0, out.segment().get(JAVA_BYTE, i));
            }
          }
        });
  }

  @Check
  default void shouldRefuseCopiesOutsideBuffers() {
    repeat(
        1,
        fixture -> {
          Stream stream = fixture.stream();
          try (PinnedBuffer host = fixture.device().allocatePinned("host", 100);
              DeviceBuffer device = fixture.device().allocate("device", 90)) {
            Refusals.expect("91", "90", () -> stream.copyToDevice(host, 0, device, 0, 91));
            Refusals.expect("101", "90", () -> stream.copyToHost(device, 0, host, 0, 101));
            Refusals.expect("11", "100", () -> stream.copyToHost(device, 0, host, 90, 11));
            Refusals.expect("50", "90", () -> stream.copyToHost(device, 50, host, 0, 50));
            Refusals.expect("-1", "90", () -> stream.copyToHost(device, -1, host, 0, 5));
          }
        });
  }

  @Check
  default void shouldOrderWorkOfTwoStreamsByEvents() {
    repeat(
        3,
        fixture -> {
          int rounds = 100;
          Device device = fixture.device();
          Matrix x = fixture.matrix(DType.F32, fixture.numbers(40, 960, 1, DType.F32));
          try (Stream other = device.newStream("other");
              PinnedBuffer counter = device.allocatePinned("counter", 4L * (rounds + 1));
              DeviceBuffer cell = device.allocate("cell", 4)) {
            for (int i = 0; i <= rounds; i++) {
              counter.segment().setAtIndex(JAVA_INT, i, i);
            }
            try (PinnedBuffer seen = device.allocatePinned("seen", 4L * rounds)) {
              for (int i = 0; i < rounds; i++) {
                fixture.operations().softCap(fixture.stream(), x, 5);
                fixture.stream().copyToDevice(counter, 4L * i, cell, 0, 4);
                other.await(fixture.stream().record());
                other.copyToHost(cell, 0, seen, 4L * i, 4);
                fixture.stream().await(other.record());
              }
              other.synchronize();
              for (int i = 0; i < rounds; i++) {
                assertEquals(i, seen.segment().getAtIndex(JAVA_INT, i));
              }
            }
          }
        });
  }

  @Check
  default void shouldNotBlockTheCallerOnAnEventOfAnotherStream() {
    repeat(
        1,
        fixture -> {
          try (Stream other = fixture.device().newStream("other")) {
            Matrix x = fixture.matrix(DType.F32, fixture.numbers(40, 960, 1, DType.F32));
            for (int i = 0; i < 50; i++) {
              fixture.operations().softCap(fixture.stream(), x, 5);
            }
            Event behind = fixture.stream().record();
            other.await(behind);
            Event last = other.record();
            last.synchronize();
            assertTrue(behind.isDone());
            assertTrue(last.isDone());
            assertTrue(last.reachedNanos() >= behind.reachedNanos());
            assertTrue(last.reachedNanos() <= System.nanoTime());
          }
        });
  }

  @Check
  default void shouldSurfaceErrorsOnceAtSynchronize() {
    repeat(
        1,
        fixture -> {
          Matrix table = fixture.matrix(DType.F32, fixture.numbers(3, 8, 1, DType.F32));
          Matrix out = fixture.output(DType.F32, 1, 8);
          fixture.operations().gatherRows(fixture.stream(), table, fixture.indices(1234567), out);
          IllegalStateException failure =
              assertThrows(IllegalStateException.class, fixture.stream()::synchronize);
          assertTrue(failure.getMessage().contains("1234567"), failure::getMessage);
          fixture.stream().synchronize();
          fixture.operations().gatherRows(fixture.stream(), table, fixture.indices(2), out);
          Expected.of(new double[][] {fixture.read(table)[2]})
              .check(fixture.read(out), DType.F32, 0, "after an error");
        });
  }

  @Check
  default void shouldSurfaceErrorsAtEventsBehindThem() {
    repeat(
        1,
        fixture -> {
          Matrix table = fixture.matrix(DType.F32, fixture.numbers(3, 8, 1, DType.F32));
          Matrix out = fixture.output(DType.F32, 1, 8);
          fixture.operations().gatherRows(fixture.stream(), table, fixture.indices(-1), out);
          Event behind = fixture.stream().record();
          assertThrows(IllegalStateException.class, behind::synchronize);
          fixture.stream().synchronize();
        });
  }
}
