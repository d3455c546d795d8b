package dev.offload.tensors.checkpoint;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.Fixtures;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Headers damaged at random are read or refused; nothing else ever happens. */
class CheckpointFuzzTest {
  private static final int ROUNDS = 300;

  private static final List<String> SNIPPETS =
      List.of(
          "[",
          "]",
          "{",
          "}",
          ",",
          ":",
          "\"",
          "null",
          "-1",
          "1e999",
          "9223372036854775807",
          "99999999999999999999999",
          "\\u0000",
          "\"dtype\":",
          "\"F64\"",
          "[[[[",
          "\u00e9",
          "0");

  @TempDir Path folder;

  @Test
  void shouldReadOrRefuseWhateverTheHeaderHolds() throws IOException {
    byte[] sound = Files.readAllBytes(Fixtures.folder("qwen3-dense").resolve("model.safetensors"));
    Random random = new Random(20_260);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Files.write(folder.resolve("model.safetensors"), damaged(sound, random));
      refused += assertTimeoutPreemptively(Duration.ofMinutes(10), this::opens) ? 0 : 1;
    }
    assertTrue(refused > ROUNDS / 2 && refused < ROUNDS, "refused " + refused);
  }

  /** Whether the folder opens; all its tensors lie inside the file then. */
  private boolean opens() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      for (String name : checkpoint.names()) {
        StoredTensor tensor = checkpoint.require(name);
        assertTrue(checkpoint.bytes(tensor).byteSize() == tensor.bytes());
      }
      return true;
    } catch (ModelException e) {
      assertTrue(e.getMessage().contains("model.safetensors"), e.getMessage());
      return false;
    }
  }

  private static byte[] damaged(byte[] sound, Random random) {
    int headerLength = (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    String header = new String(sound, 8, headerLength, StandardCharsets.ISO_8859_1);
    for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
      int from = random.nextInt(header.length());
      int to = Math.min(header.length(), from + random.nextInt(6));
      header = header.substring(0, from) + replacement(random) + header.substring(to);
    }
    byte[] json = header.getBytes(StandardCharsets.ISO_8859_1);
    byte[] data = Arrays.copyOfRange(sound, 8 + headerLength, sound.length);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    long claimed = random.nextInt(20) == 0 ? random.nextLong() : json.length;
    file.putLong(claimed).put(json).put(data);
    int kept = random.nextInt(20) == 0 ? random.nextInt(file.capacity()) : file.capacity();
    return Arrays.copyOf(file.array(), kept);
  }

  private static String replacement(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> "";
      case 1 -> String.valueOf((char) random.nextInt(256));
      default -> SNIPPETS.get(random.nextInt(SNIPPETS.size()));
    };
  }
}
