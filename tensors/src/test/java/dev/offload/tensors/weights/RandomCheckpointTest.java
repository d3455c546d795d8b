package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.offload.tensors.Fixtures;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomCheckpointTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"qwen3-moe", "gpt-oss-bf16", "gpt2-base", "neox-pythia", "glm4-moe", "gemma2"})
  void shouldHoldTheNumbersThatTheSourceGives(String name) throws IOException {
    Path config = Fixtures.folder(name).resolve("config.json");
    Files.copy(config, folder.resolve("config.json"));
    RandomSource source = new RandomSource(5, 0.02f, 2);
    try (ModelFolder shape = ModelFolder.fromConfig(config)) {
      RandomCheckpoint checkpoint = new RandomCheckpoint(shape.units(), source);
      checkpoint.write(folder);
      try (ModelFolder written = ModelFolder.open(folder)) {
        long stored =
            written.checkpoint().orElseThrow().names().stream()
                .mapToLong(tensor -> written.checkpoint().orElseThrow().require(tensor).bytes())
                .sum();
        assertEquals(stored, checkpoint.bytes());
        assertEquals(shape.units(), written.units());
        for (WeightUnit unit : written.units()) {
          for (Parameter parameter : unit.parameters()) {
            byte[] expected = new byte[(int) parameter.bytes()];
            byte[] found = new byte[expected.length];
            source.read(parameter, parameter.dtype(), MemorySegment.ofArray(expected));
            written.weights().read(parameter, parameter.dtype(), MemorySegment.ofArray(found));
            assertEquals(
                -1,
                MemorySegment.ofArray(expected).mismatch(MemorySegment.ofArray(found)),
                () -> unit.id() + " " + parameter);
          }
        }
      }
    }
  }
}
