package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FixtureTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama2-mha",
        "llama31-gqa",
        "llama32-tied",
        "llama-linear",
        "llama-dynamic",
        "llama-yarn",
        "llama-bias-unigram",
        "llama-v5-config",
        "mistral-swa",
        "qwen2-bias",
        "qwen2-tied-swa",
        "qwen3-dense",
        "mixtral",
        "qwen2-moe",
        "qwen3-moe",
        "olmoe",
        "opt-pre",
        "opt-post-proj",
        "gpt2-base",
        "neox-pythia",
        "phi3-swa",
        "phi3-longrope",
        "gemma2",
        "gemma3-text",
        "glm4-moe",
        "gpt-oss-bf16"
      })
  void shouldGenerateReferenceTokens(String name) throws Exception {
    JsonNode reference =
        new ObjectMapper().readTree(FIXTURES.resolve(name).resolve("reference.json").toFile());
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    try (ModelFolder folder = ModelFolder.open(FIXTURES.resolve(name));
        Device device = backend.open(new DeviceOptions(0, 2L << 30, 1L << 30, 2));
        Engine engine =
            Engine.open(
                EngineModel.of(folder),
                Optional.empty(),
                device,
                EngineOptions.of(Optional.of(DType.F32), 2L << 30, 1L << 30, 2, 0))) {
      Map<Long, List<Integer>> tokens = new TreeMap<>();
      List<GenerationRequest> requests = new ArrayList<>();
      for (JsonNode prompt : reference.get("prompts")) {
        List<Integer> ids = new ArrayList<>();
        prompt.get("input_ids").forEach(id -> ids.add(id.asInt()));
        requests.add(
            new GenerationRequest(
                requests.size(),
                TokenIds.of(ids),
                new SamplingParams(
                    0,
                    1,
                    0,
                    0,
                    1,
                    0,
                    0,
                    Map.of(),
                    OptionalLong.empty(),
                    24,
                    0,
                    true,
                    List.of(),
                    List.of(),
                    1,
                    -1)));
      }
      Iterator<GenerationRequest> source = requests.iterator();
      engine.run(
          () -> source.hasNext() ? Optional.of(source.next()) : Optional.empty(),
          result ->
              tokens.put(
                  result.index(), result.choices().getFirst().tokens().stream().boxed().toList()),
          _ -> {});
      for (int i = 0; i < requests.size(); i++) {
        JsonNode greedy = reference.get("prompts").get(i).get("greedy");
        List<Integer> expected = new ArrayList<>();
        greedy.get("tokens").forEach(id -> expected.add(id.asInt()));
        int count = greedy.get("check").asText().equals("first") ? 1 : expected.size();
        assertEquals(
            expected.subList(0, count), tokens.get((long) i).subList(0, count), "prompt " + i);
      }
    }
  }
}
