package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeenIdsTest {
  @TempDir private Path folder;

  @Test
  void shouldNameTheLineOfTheFirst() throws Exception {
    try (SeenIds ids = new SeenIds(folder)) {
      assertEquals(OptionalLong.empty(), ids.add(TextNode.valueOf("a"), 3));
      assertEquals(OptionalLong.empty(), ids.add(TextNode.valueOf("b"), 4));
      assertEquals(OptionalLong.of(3), ids.add(TextNode.valueOf("a"), 9));
    }
  }

  @Test
  void shouldTellNumbersFromTexts() throws Exception {
    try (SeenIds ids = new SeenIds(folder)) {
      assertEquals(OptionalLong.empty(), ids.add(TextNode.valueOf("1"), 1));
      assertEquals(OptionalLong.empty(), ids.add(LongNode.valueOf(1), 2));
    }
  }

  @Test
  void shouldKeepAllIdsWhenTheTableMovesToAFile() throws Exception {
    int count = 50_000;
    try (SeenIds ids = new SeenIds(folder, 256 << 10)) {
      for (int i = 1; i <= count; i++) {
        assertEquals(OptionalLong.empty(), ids.add(TextNode.valueOf("row-" + i), i));
      }
      for (int i = 1; i <= count; i++) {
        assertEquals(OptionalLong.of(i), ids.add(TextNode.valueOf("row-" + i), count + i));
      }
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertTrue(left.findAny().isEmpty(), "temporary files are left in " + folder);
    }
  }
}
