package dev.offload.backends.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DnnlFilesTest {

  @TempDir Path cache;

  @Test
  void shouldUnpackOnceAndMendWhatIsDamaged() throws IOException {
    List<Path> first = DnnlFiles.unpack(cache);
    assertEquals(
        List.of("libgomp.so.1", "libdnnl.so.3"),
        first.stream().map(path -> path.getFileName().toString()).toList());
    Path library = first.getFirst();
    Object written = Files.getLastModifiedTime(library);
    long size = Files.size(library);
    assertEquals(first, DnnlFiles.unpack(cache));
    assertEquals(written, Files.getLastModifiedTime(library));
    Files.writeString(library, "half a library");
    assertEquals(first, DnnlFiles.unpack(cache));
    assertEquals(size, Files.size(library));
    try (Stream<Path> left = Files.list(cache)) {
      assertEquals(1, left.count(), "nothing unfinished stays behind");
    }
  }

  @Test
  void shouldSayWhereItCannotWrite() throws IOException {
    Path file = Files.writeString(cache.resolve("file"), "in the way");
    IOException refusal =
        assertThrows(IOException.class, () -> DnnlFiles.unpack(file.resolve("cache")));
    assertTrue(refusal.getMessage().contains(file.toString()), refusal.getMessage());
  }
}
