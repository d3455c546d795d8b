package dev.offload.tensors.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.tensors.Fixtures;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class HostileConfigTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("config.json");
  }

  static Stream<String> described() {
    return Stream.concat(
        Fixtures.SUPPORTED.stream(),
        Stream.of("deepseek-v3-fp8", "gpt-oss-mxfp4", "llama-awq", "llama-gptq"));
  }

  @Test
  void shouldRefuseAFileThatIsNoConfig() throws IOException {
    refuses("config.json: is missing; a model folder needs its config.json");
    Files.writeString(file, "{\"model_type\": \"llama\"");
    refuses("config.json: broken JSON at line 1");
    Files.writeString(file, "[]");
    refuses("holds no JSON object");
    Files.writeString(file, "{}");
    refuses("model_type is missing");
    Files.writeString(file, "{\"model_type\":\"opt\",\"model_type\":\"llama\"}");
    refuses("Duplicate field 'model_type'");
    Files.writeString(file, "{\"model_type\":\"llama\",\"hidden_size\":NaN}");
    refuses("broken JSON");
    Files.writeString(file, "{\"model_type\":\"llama\"} trailing");
    refuses("broken JSON");
  }

  @Test
  void shouldRefuseFamiliesByName() throws IOException {
    Files.writeString(file, "{\"model_type\":\"rwkv\"}");
    refuses(
        "model_type is \"rwkv\"; it is not supported; supported are deepseek_v2, deepseek_v3, gemma2,");
    refuses("qwen3_moe");
    Files.writeString(file, "{\"model_type\":7}");
    refuses("model_type is 7; it must be a text");
  }

  @ParameterizedTest
  @CsvSource({
    "llama-awq, awq",
    "llama-gptq, gptq",
    "qwen3-fp8, fp8",
    "gpt-oss-mxfp4, mxfp4",
    "deepseek-v3-fp8, fp8"
  })
  void shouldRefuseWhatFixturesHoldButWeCannotRun(String name, String why) {
    file = Fixtures.folder(name).resolve("config.json");
    refuses("is \"" + why + "\"; it is not supported");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama31-gqa | hidden_size | -1 | hidden_size is -1; it must be a whole number from 1 to",
        "llama31-gqa | hidden_size | 9999999999999 | must be a whole number from 1 to 8388608",
        "llama31-gqa | hidden_size | 64.5 | hidden_size is 64.5; it must be a whole number",
        "llama31-gqa | hidden_size | \"64\" | hidden_size is \"64\"; it must be a whole number",
        "llama31-gqa | hidden_size | [64] | hidden_size is [64]; it must be a whole number",
        "llama31-gqa | hidden_size | null | hidden_size is missing; it must be a whole number",
        "llama31-gqa | hidden_size | 65 | must divide hidden_size, 65",
        "llama31-gqa | num_key_value_heads | 3 | must divide the number of attention heads, 4",
        "llama31-gqa | num_hidden_layers | 100000 | num_hidden_layers is 100000; it must be",
        "llama31-gqa | vocab_size | 0 | vocab_size is 0; it must be",
        "llama31-gqa | rms_norm_eps | 1e999 | rms_norm_eps is",
        "llama31-gqa | rms_norm_eps | -1e-5 | rms_norm_eps is -1.0E-5; it must be a number from",
        "llama31-gqa | tie_word_embeddings | \"yes\" | must be true or false",
        "llama31-gqa | hidden_act | \"quick_gelu\" | \"quick_gelu\"; it is not supported; supported",
        "llama31-gqa | torch_dtype | \"float8\" | torch_dtype is \"float8\"; it is not supported",
        "llama31-gqa | rope_scaling | {\"rope_type\":\"spiral\"} | rope_scaling.rope_type is",
        "llama31-gqa | rope_scaling | {\"factor\":2} | rope_scaling.rope_type is absent; it must",
        "llama31-gqa | rope_scaling | {\"type\":\"linear\"} | rope_scaling.factor is missing",
        "llama31-gqa | rope_scaling | {\"type\":\"linear\",\"factor\":0} | rope_scaling.factor is 0",
        "llama31-gqa | rope_theta | 0 | rope_theta is 0; it must be a number from",
        "llama31-gqa | clip_qkv | 8 | clip_qkv is 8; it is not supported for model_type llama",
        "llama31-gqa | sliding_window | 64 | sliding_window is 64; it is not supported",
        "llama31-gqa | eos_token_id | [1,480] | eos_token_id is [1,480]; it must be a whole",
        "llama31-gqa | head_dim | 7 | rotated dimensions are 7, must be",
        "olmoe | clip_qkv | 10.0 | clip_qkv is 10.0; it is not supported for model_type olmoe",
        "olmoe | num_experts_per_tok | 9 | num_experts_per_tok is 9; it must be a whole number",
        "olmoe | num_experts | 1000000 | num_experts is 1000000; it must be",
        "mistral-swa | sliding_window | -5 | sliding_window is -5; it must be",
        "mistral-swa | layer_types | [\"full_attention\"] | must have one entry per layer, 3",
        "mistral-swa | layer_types | [\"a\",\"b\",\"c\"] | holds 'a'; supported are full_attention",
        "opt-pre | layer_norm_elementwise_affine | false | is not supported unless it is true",
        "opt-pre | activation_function | \"tanh\" | activation_function is \"tanh\"; it is not",
        "gpt2-base | scale_attn_by_inverse_layer_idx | true | not supported unless it is false",
        "gpt-oss-bf16 | swiglu_limit | 5.0 | swiglu_limit is 5.0; it is not supported",
        "glm4-moe | n_group | 3 | n_group is 3; it must divide n_routed_experts, 8",
        "phi3-longrope | attention_bias | true | attention_bias is true; it is not supported",
        "phi3-longrope | rope_scaling | {\"type\":\"longrope\",\"short_factor\":[1]} | one per",
        "llama-v5-config | rope_parameters | {\"rope_type\":\"xyz\"} | rope_parameters.rope_type",
        "llama31-gqa | use_qkv_bias | true | use_qkv_bias is true; it is not supported for model_type",
        "llama31-gqa | quantization | {\"bits\":4} | quantization is {\"bits\":4}; it is not supported",
        "llama31-gqa | moe_intermediate_size | 64 | is not supported for model_type llama",
        "llama31-gqa | position_embedding_type | \"alibi\" | unless it is rope, rotary or absolute",
        "llama31-gqa | rope_scaling | {\"type\":\"dynamic\",\"alpha\":9} | rope_scaling.alpha is 9",
        "mixtral | norm_topk_prob | true | is not supported for model_type mixtral",
        "deepseek-v3 | topk_method | \"greedy\" | topk_method is \"greedy\"; it is not supported for",
        "deepseek-v3 | scoring_func | \"softmax\" | is not supported for model_type deepseek_v3",
        "deepseek-v2-lite | topk_method | \"noaux_tc\" | supported are greedy, group_limited_greedy",
        "deepseek-v2-lite | norm_topk_prob | true | norm_topk_prob is true; it is not supported",
        "deepseek-v2-lite | moe_layer_freq | 2 | moe_layer_freq is 2; it is not supported unless",
        "deepseek-v2-lite | attention_bias | true | attention_bias is true; it is not supported",
        "deepseek-v3 | rope_interleave | false | rope_interleave is false; it is not supported",
        "deepseek-v3 | n_group | 3 | n_group is 3; it must divide n_routed_experts, 16",
        "deepseek-v3 | kv_lora_rank | 0 | kv_lora_rank is 0; it must be a whole number from 1",
        "deepseek-v3 | qk_rope_head_dim | 7 | rotated dimensions are 7, must be even",
        "llama-awq | quantization_config | {\"quant_method\":\"hqq\"} | quant_method is \"hqq\"; it is",
        "llama-awq | quantization_config | {\"quant_method\":\"awq\"} | group_size is missing",
        "llama-gptq | quantization_config | {\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":8,\"lm_head\":true} | lm_head is true",
        "qwen3-fp8 | quantization_config | {\"quant_method\":\"fp8\",\"weight_block_size\":[128]} | must be two",
        "qwen3-fp8 | quantization_config | {\"quant_method\":\"fp8\",\"weight_block_size\":[0,1]} | from 1 to",
        "gemma3-text | use_bidirectional_attention | true | it is not supported",
      })
  void shouldRefuseOptionsByNameAndValue(String fixture, String field, String value, String message)
      throws IOException {
    ObjectNode config = (ObjectNode) MAPPER.readTree(config(fixture).toFile());
    config.remove(field.equals("head_dim") ? "rope_scaling" : "none");
    config.set(field, MAPPER.readTree("0"));
    Files.writeString(
        file, config.toString().replace("\"" + field + "\":0", "\"" + field + "\":" + value));
    refuses(message);
  }

  @Test
  void shouldTakeTokensFromGenerationConfigFirst() throws IOException {
    Files.copy(config("qwen3-dense"), file);
    assertEquals(List.of(423), ConfigReader.read(file).endTokens());
    assertEquals(OptionalInt.of(421), ConfigReader.read(file).beginToken());
    Path generation = folder.resolve("generation_config.json");
    Files.writeString(generation, "{\"eos_token_id\":[5,6,5],\"bos_token_id\":null}");
    assertEquals(List.of(5, 6), ConfigReader.read(file).endTokens());
    assertEquals(OptionalInt.of(421), ConfigReader.read(file).beginToken());
    Files.writeString(generation, "{\"eos_token_id\":448}");
    refuses("generation_config.json: eos_token_id is 448; it must be a whole number from 0 to 447");
    Files.writeString(generation, "{");
    refuses("generation_config.json: broken JSON");
  }

  @ParameterizedTest
  @MethodSource("described")
  void shouldReadOrRefuseWhateverAFieldHolds(String fixture) throws IOException {
    JsonNode sound = MAPPER.readTree(config(fixture).toFile());
    List<String> values =
        List.of(
            "null",
            "0",
            "-1",
            "1",
            "2147483647",
            "-2147483648",
            "1e300",
            "0.5",
            "\"\"",
            "[]",
            "{}",
            "[[]]",
            "true",
            "false",
            "\"silu\"",
            "[1,2,3]",
            "123456789012345678901234567890");
    Random random = new Random(fixture.hashCode());
    for (String field : (Iterable<String>) sound::fieldNames) {
      for (int i = 0; i < 2; i++) {
        ObjectNode damaged = sound.deepCopy();
        damaged.set(field, MAPPER.readTree(values.get(random.nextInt(values.size()))));
        Files.writeString(file, damaged.toString());
        try {
          assertTrue(ConfigReader.describe(file).config().layers().size() <= Limits.LAYERS);
        } catch (ModelException e) {
          assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        }
      }
    }
  }

  private static Path config(String fixture) {
    return Fixtures.folder(fixture).resolve("config.json");
  }

  private void refuses(String message) {
    ModelException e = assertThrows(ModelException.class, () -> ConfigReader.read(file));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().startsWith(file.getParent().toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
