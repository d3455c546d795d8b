package dev.offload.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The model folders among the test resources, and what transformers makes of texts with them. */
final class TokenizerFixtures {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TokenizerFixtures() {}

  /** Names of all models. */
  static List<String> models() {
    try (Stream<Path> folders = Files.list(root())) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("tokenizer_reference.json")))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path folder(String model) {
    return root().resolve(model);
  }

  static Tokenizer open(String model) {
    try {
      return Tokenizer.open(folder(model));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode reference(String model) {
    try {
      return JSON.readTree(folder(model).resolve("tokenizer_reference.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static TokenIds ids(JsonNode array) {
    return TokenIds.of(JSON.convertValue(array, int[].class));
  }

  private static Path root() {
    try {
      return Path.of(
          Objects.requireNonNull(TokenizerFixtures.class.getResource("/fixtures")).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
