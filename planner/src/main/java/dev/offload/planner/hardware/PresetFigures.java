package dev.offload.planner.hardware;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.Preset.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Takes figures out of the preset file and keeps book on where each came from: stated there, stated
 * as a guess for this machine, or derived by a rule. Not thread-safe.
 */
final class PresetFigures {
  private final String name;
  private final JsonNode stated;
  private final JsonNode guessed;
  private final List<Source> sources = new ArrayList<>();
  private final List<Assumption> assumptions = new ArrayList<>();

  /**
   * @param stated entry of presets.json
   * @param guessed entry of assumed.json, perhaps missing
   */
  PresetFigures(JsonNode stated, JsonNode guessed) {
    this.name = stated.path("name").textValue();
    this.stated = stated;
    this.guessed = guessed;
  }

  /** A number of the file without keeping book, if it is there. */
  OptionalDouble peek(String path) {
    JsonNode value = stated.at("/" + path.replace('.', '/'));
    return value.isNumber() ? OptionalDouble.of(value.doubleValue()) : OptionalDouble.empty();
  }

  /**
   * A figure that the file states, or that was guessed for this very machine.
   *
   * @param field of the profile that it becomes
   * @param path in the file
   */
  OptionalDouble take(String field, String path, Quantity quantity) {
    OptionalDouble value = peek(path);
    if (value.isPresent()) {
      source(field, value.getAsDouble(), quantity, path);
      return value;
    }
    JsonNode guess = guessed.path(path);
    if (guess.isMissingNode()) {
      return OptionalDouble.empty();
    }
    double taken = guess.path("value").doubleValue();
    assume(field, taken, quantity, guess.path("reason").textValue());
    return OptionalDouble.of(taken);
  }

  /** A figure that follows from others that the file states at {@code path}. */
  double source(String field, double value, Quantity quantity, String path) {
    for (JsonNode each : stated.path("sources")) {
      if (each.path("field").textValue().equals(path)) {
        sources.add(
            new Source(
                field,
                quantity.format(value),
                each.path("source").textValue(),
                each.path("note").textValue()));
        return value;
      }
    }
    throw new IllegalStateException("presets.json: " + name + ": " + path + " has no source");
  }

  /** A figure that nobody stated. */
  double assume(String field, double value, Quantity quantity, String reason) {
    assumptions.add(new Assumption(field, quantity.format(value), reason));
    return value;
  }

  List<Source> sources() {
    return sources;
  }

  List<Assumption> assumptions() {
    return assumptions;
  }
}
