package dev.offload.backends.kernels;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProgramCacheTest {

  @Test
  void shouldTellApartWhatBinariesDependOn() {
    String key = ProgramCache.key("a", "b", "device");
    assertEquals(key, ProgramCache.key("a", "b", "device"));
    assertNotEquals(key, ProgramCache.key("ab", "", "device"));
    assertNotEquals(key, ProgramCache.key("a", "c", "device"));
    assertNotEquals(key, ProgramCache.key("a", "b", "other"));
  }

  @Test
  void shouldGiveBackWhatWasWritten(@TempDir Path folder) throws IOException {
    ProgramCache cache = new ProgramCache(folder.resolve("new"));
    assertEquals(Optional.empty(), cache.read("key"));
    byte[] program = "program".getBytes(UTF_8);
    cache.write("key", program);
    assertArrayEquals(program, cache.read("key").orElseThrow());
    try (var files = Files.list(folder.resolve("new"))) {
      assertEquals(1, files.count());
    }
  }
}
