package dev.offload.tensors.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.Fixtures;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.checkpoint.Checkpoint;
import dev.offload.tensors.checkpoint.SafetensorsFile;
import dev.offload.tensors.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
  /** Tensors that are no weights, or copies of a tied head, or a layer for drafting. */
  private static final List<String> NO_WEIGHTS =
      List.of("inv_freq", "masked_bias", "attn.bias", "attention.bias");

  static List<String> supported() {
    return Fixtures.SUPPORTED;
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldListEveryWeightOfTheCheckpoint(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name))) {
      Set<String> used =
          model.units().stream()
              .flatMap(unit -> unit.parameters().stream())
              .flatMap(parameter -> parameter.parts().stream())
              .map(Part::tensor)
              .collect(Collectors.toSet());
      Checkpoint checkpoint = model.checkpoint().orElseThrow();
      Set<String> unused = new TreeSet<>(checkpoint.names());
      unused.removeAll(used);
      unused.removeIf(tensor -> NO_WEIGHTS.stream().anyMatch(tensor::endsWith));
      if (model.config().head().tied()) {
        unused.remove("lm_head.weight");
      }
      String drafting = "model.layers." + model.config().layers().size() + ".";
      unused.removeIf(tensor -> tensor.startsWith(drafting));
      assertEquals(Set.of(), unused);
    }
  }

  @ParameterizedTest
  @MethodSource("supported")
  void shouldDescribeTheSameUnitsFromTheConfigAlone(String name) throws IOException {
    try (ModelFolder model = ModelFolder.open(Fixtures.folder(name));
        ModelFolder shape = ModelFolder.fromConfig(Fixtures.folder(name).resolve("config.json"))) {
      ModelConfig config = model.config();
      assertEquals(config, shape.config().withStoredDType(config.storedDType()));
      assertEquals(sizes(model), sizes(shape));
      assertTrue(shape.checkpoint().isEmpty());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"vocab_size\": 448 | \"vocab_size\": 456 | tensor model.embed_tokens.weight has the"
            + " shape [448, 40], but config.json makes it [456, 40]",
        "\"head_dim\": 16 | \"head_dim\": 8 | tensor model.layers.0.self_attn.q_proj.weight has the"
            + " shape [64, 40], but config.json makes it [32, 40]",
        "\"num_hidden_layers\": 3 | \"num_hidden_layers\": 4 | holds no tensor"
            + " model.layers.3.input_layernorm.weight",
        "\"attention_bias\": false | \"attention_bias\": true | holds no tensor"
            + " model.layers.0.self_attn.q_proj.bias",
      })
  void shouldRefuseAConfigOfAnotherModel(
      String from, String to, String message, @TempDir Path folder) throws IOException {
    Path model = Fixtures.folder("qwen3-dense");
    Files.copy(model.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    String config = Files.readString(model.resolve("config.json"));
    assertTrue(config.contains(from));
    Files.writeString(folder.resolve("config.json"), config.replace(from, to));
    ModelException e = assertThrows(ModelException.class, () -> ModelFolder.open(folder).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.2.mlp.gate.weight",
        "model.layers.1.post_feedforward_layernorm.weight",
        "model.layers.3.input_layernorm.weight",
        "model.layers.1.attn.bias",
        "model.norm.bias",
        "lm_head.bias"
      })
  void shouldRefuseWhatBelongsToTheModelAndIsNotRead(String tensor, @TempDir Path folder)
      throws IOException {
    addTensor(tensor, folder);
    ModelException e = assertThrows(ModelException.class, () -> ModelFolder.open(folder).close());
    assertTrue(e.getMessage().contains("tensor " + tensor + " is part of"), e.getMessage());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.layers.1.self_attn.rotary_emb.inv_freq",
        "vision_tower.layers.0.attn.weight",
        "score.weight"
      })
  void shouldLeaveOtherTensorsAlone(String tensor, @TempDir Path folder) throws IOException {
    addTensor(tensor, folder);
    ModelFolder.open(folder).close();
  }

  /** A model with one tensor more, in a file of its own. */
  private static void addTensor(String tensor, Path folder) throws IOException {
    Path model = Fixtures.folder("qwen3-dense");
    Files.copy(model.resolve("config.json"), folder.resolve("config.json"));
    Files.copy(model.resolve("model.safetensors"), folder.resolve("a.safetensors"));
    SafetensorsFile.write(
        folder.resolve("b.safetensors"),
        "{" + SafetensorsFile.entry(tensor, "F32", "[2]", 0, 8) + "}",
        8);
    try (Checkpoint whole = Checkpoint.open(model)) {
      String places =
          whole.names().stream()
              .map(name -> "\"" + name + "\":\"a.safetensors\",")
              .collect(Collectors.joining());
      Files.writeString(
          folder.resolve("model.safetensors.index.json"),
          "{\"weight_map\":{" + places + "\"" + tensor + "\":\"b.safetensors\"}}");
    }
  }

  @Test
  void shouldRefuseToReadWeightsThatAreNotThere() throws IOException {
    assertThrows(ModelException.class, () -> ModelFolder.open(Path.of("nowhere")).close());
    try (ModelFolder shape = ModelFolder.fromConfig(Fixtures.folder("opt-pre"))) {
      assertThrows(IllegalStateException.class, shape::weights);
      assertThrows(IllegalArgumentException.class, () -> shape.unit(UnitId.expert(0, 0)));
    }
  }

  private static List<String> sizes(ModelFolder model) {
    return model.units().stream()
        .flatMap(
            unit ->
                Stream.concat(
                    Stream.of(unit.id().toString()),
                    unit.parameters().stream()
                        .map(p -> p.role() + " " + p.rows() + " x " + p.columns())))
        .toList();
  }
}
