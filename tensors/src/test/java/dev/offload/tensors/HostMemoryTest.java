package dev.offload.tensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostMemoryTest {

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4096, 4097, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 9_999_999})
  void shouldGiveZeroedAlignedMemoryUntilTheArenaCloses(long bytes) {
    MemorySegment memory;
    try (Arena arena = Arena.ofShared()) {
      memory = HostMemory.open().allocate(bytes, arena);
      assertEquals(bytes, memory.byteSize());
      assertEquals(0, memory.address() % HostMemory.ALIGNMENT);
      if (bytes > 0) {
        assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, 0));
        assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, bytes - 1));
        memory.fill((byte) 7);
        assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, bytes - 1));
      }
    }
    if (bytes > 0) {
      assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_BYTE, 0));
    }
  }
}
