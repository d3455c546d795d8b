package dev.offload.engine.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceFacts;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.tensors.DType;
import dev.offload.tensors.HostMemory;
import dev.offload.tensors.checkpoint.FileRange;
import dev.offload.tensors.weights.ModelFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MappedMatricesTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final long PLENTY = 1L << 30;

  /** What is pinned at the moment. */
  private final List<MemorySegment> pinned = new ArrayList<>();

  private int refuseAfter = Integer.MAX_VALUE;

  private final Device device =
      (Device)
          Proxy.newProxyInstance(
              Device.class.getClassLoader(),
              new Class<?>[] {Device.class},
              (_, method, arguments) ->
                  switch (method.getName()) {
                    case "tryPin" -> tryPin((MemorySegment) arguments[1]);
                    case "facts" -> new DeviceFacts("fake", 0, 1, false, "");
                    default -> throw new UnsupportedOperationException(method.getName());
                  });

  private Optional<PinnedBuffer> tryPin(MemorySegment memory) {
    if (pinned.size() >= refuseAfter) {
      return Optional.empty();
    }
    pinned.add(memory);
    return Optional.of(
        new PinnedBuffer() {
          @Override
          public MemorySegment segment() {
            return memory;
          }

          @Override
          public void close() {
            pinned.remove(memory);
          }
        });
  }

  /** A model's files, and what is done with them. */
  @FunctionalInterface
  private interface Action {
    void run(CheckpointFiller filler, List<UnitLayout> images);
  }

  /** With matrices as they are stored. */
  private static void with(String name, Action action) throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name))) {
      with(folder, folder.config().storedDType(), 1, action);
    }
  }

  private static void with(ModelFolder folder, DType as, long least, Action action) {
    try (CheckpointFiller filler =
        new CheckpointFiller(folder.checkpoint().orElseThrow(), false, OptionalLong.of(least))) {
      action.run(
          filler, folder.units().stream().map(unit -> UnitLayout.rowMajor(unit, as)).toList());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama31-gqa", "qwen3-moe", "opt-post-proj", "gpt-oss-bf16", "neox-pythia"})
  void shouldFindEveryNumberWhereItIs(String name) throws IOException {
    with(
        name,
        (filler, images) -> {
          int mapped = 0;
          try (MappedMatrices matrices = MappedMatrices.pin(device, filler, images, PLENTY)) {
            for (UnitLayout image : images) {
              for (UnitLayout.Entry entry : image.entries()) {
                if (matrices.has(entry)) {
                  mapped++;
                  assertHolds(filler, entry, matrices.pieces(entry, 64));
                }
              }
            }
            assertEquals(mapped > 0, matrices.bytes() > 0);
            assertApart(pinned);
          }
          assertTrue(mapped > 0, "nothing stays in files");
          assertEquals(List.of(), pinned);
        });
  }

  /** Pieces follow one another and hold what the source reads. */
  private static void assertHolds(
      CheckpointFiller filler, UnitLayout.Entry entry, List<HostPiece> pieces) {
    MemorySegment expected = MemorySegment.ofArray(new byte[(int) entry.bytes()]);
    filler.fill(entry.parameter(), entry.dtype(), expected);
    long at = 0;
    for (HostPiece piece : pieces) {
      assertEquals(64 + at, piece.imageOffset());
      MemorySegment found = piece.from().segment().asSlice(piece.offset(), piece.bytes());
      assertEquals(-1, expected.asSlice(at, piece.bytes()).mismatch(found), entry::toString);
      at += piece.bytes();
    }
    assertEquals(entry.bytes(), at);
  }

  /** The driver refuses to pin a page twice. */
  private static void assertApart(List<MemorySegment> pinned) {
    for (MemorySegment each : pinned) {
      assertEquals(0, each.address() % HostMemory.ALIGNMENT);
      for (MemorySegment other : pinned) {
        assertTrue(
            each == other
                || each.address() >= other.address() + HostMemory.wholePages(other.byteSize())
                || other.address() >= each.address() + HostMemory.wholePages(each.byteSize()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "1"})
  void shouldCopyAllWhereOneIsRefused(int refuseAfter) throws IOException {
    this.refuseAfter = refuseAfter;
    with(
        "llama31-gqa",
        (filler, images) -> {
          // Every other unit, so that neighbours are not one.
          List<UnitLayout> some = new ArrayList<>();
          for (int i = 0; i < images.size(); i += 2) {
            some.add(images.get(i));
          }
          assertNothingMapped(filler, some, PLENTY);
        });
  }

  private void assertNothingMapped(CheckpointFiller filler, List<UnitLayout> images, long spare) {
    try (MappedMatrices matrices = MappedMatrices.pin(device, filler, images, spare)) {
      assertEquals(List.of(), pinned);
      assertEquals(0, matrices.bytes());
      for (UnitLayout image : images) {
        image.entries().forEach(entry -> assertFalse(matrices.has(entry)));
      }
    }
  }

  @Test
  void shouldCopyAllWhereTheBudgetHasNoRoomForWholePages() throws IOException {
    with(
        "llama31-gqa",
        (filler, images) -> {
          long rounding;
          try (MappedMatrices matrices = MappedMatrices.pin(device, filler, images, PLENTY)) {
            long pages =
                pinned.stream().mapToLong(run -> HostMemory.wholePages(run.byteSize())).sum();
            rounding = pages - matrices.bytes();
          }
          assertTrue(rounding > 0);
          assertNothingMapped(filler, images, rounding - 1);
          try (MappedMatrices matrices = MappedMatrices.pin(device, filler, images, rounding)) {
            assertTrue(matrices.bytes() > 0);
          }
        });
  }

  /** What has to be converted or is small. */
  @Test
  void shouldCopyWhatIsNotWantedAsItIs() throws IOException {
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve("llama31-gqa"))) {
      assertEquals(DType.BF16, folder.config().storedDType());
      with(folder, DType.F32, 1, this::assertNothingMapped);
      with(folder, DType.BF16, 1 << 30, this::assertNothingMapped);
    }
  }

  private void assertNothingMapped(CheckpointFiller filler, List<UnitLayout> images) {
    assertNothingMapped(filler, images, PLENTY);
  }

  @Test
  void shouldCopyWhatIsStoredTheOtherWayRound() throws IOException {
    with(
        "gpt2-base",
        (filler, images) -> {
          try (MappedMatrices matrices = MappedMatrices.pin(device, filler, images, PLENTY)) {
            int turned = 0;
            for (UnitLayout image : images) {
              for (UnitLayout.Entry entry : image.entries()) {
                boolean isTurned = entry.parameter().parts().getFirst().transposed();
                turned += isTurned ? 1 : 0;
                assertFalse(isTurned && matrices.has(entry), entry::toString);
              }
            }
            assertTrue(turned > 0);
          }
        });
  }

  @Test
  void shouldJoinRangesThatTouchAPage() {
    Path a = Path.of("a");
    Path b = Path.of("b");
    assertEquals(
        List.of(
            new FileRange(a, 0, 9000), new FileRange(a, 16_384, 10), new FileRange(b, 4096, 200)),
        MappedMatrices.runs(
            List.of(
                new FileRange(b, 4200, 96),
                new FileRange(a, 16_390, 4),
                new FileRange(a, 100, 50),
                new FileRange(a, 5000, 4000))));
  }
}
