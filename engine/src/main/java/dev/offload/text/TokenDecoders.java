package dev.offload.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.text.PieceDecoder.Replacement;
import java.util.ArrayList;
import java.util.List;

/** Reads the {@code decoder} of a tokenizer.json. */
final class TokenDecoders {
  private TokenDecoders() {}

  /**
   * @throws IllegalArgumentException if a step, or its place among the others, is not supported
   */
  static TokenDecoder parse(JsonNode decoder) {
    List<JsonNode> steps = new ArrayList<>();
    flatten(decoder, steps);
    if (steps.size() == 1 && type(steps.getFirst()).equals("ByteLevel")) {
      return new ByteLevelDecoder();
    }
    return new PieceSteps().parse(steps);
  }

  private static void flatten(JsonNode decoder, List<JsonNode> steps) {
    if (type(decoder).equals("Sequence")) {
      decoder.path("decoders").forEach(step -> flatten(step, steps));
    } else if (!decoder.isNull() && !decoder.isMissingNode()) {
      steps.add(decoder);
    }
  }

  private static String type(JsonNode step) {
    return step.path("type").asText();
  }

  /** Collects the steps of a decoder that works on text. */
  private static final class PieceSteps {
    private final List<Replacement> replacements = new ArrayList<>();
    private boolean byteFallback;
    private boolean fused;
    private int blanksAtStart;
    private String firstTokenMark = "";

    TokenDecoder parse(List<JsonNode> steps) {
      steps.forEach(this::take);
      String separator = steps.isEmpty() ? " " : "";
      return new PieceDecoder(replacements, byteFallback, blanksAtStart, firstTokenMark, separator);
    }

    private void take(JsonNode step) {
      switch (type(step)) {
        case "Replace" -> replace(step);
        case "ByteFallback" -> byteFallback = true;
        case "Fuse" -> fused = true;
        case "Strip" -> strip(step);
        case "Metaspace" -> metaspace(step);
        default ->
            throw new IllegalArgumentException("decoder " + type(step) + " is not supported");
      }
    }

    private void replace(JsonNode step) {
      JsonNode from = step.path("pattern").path("String");
      JsonNode to = step.path("content");
      // After bytes or whole texts have been formed a replacement would see more than one token.
      if (!from.isTextual()
          || from.textValue().isEmpty()
          || !to.isTextual()
          || byteFallback
          || fused) {
        throw new IllegalArgumentException("decoder step " + step + " is not supported");
      }
      replacements.add(new Replacement(from.textValue(), to.textValue()));
    }

    private void strip(JsonNode step) {
      if (!fused || !step.path("content").asText().equals(" ") || step.path("stop").asInt() != 0) {
        throw new IllegalArgumentException("decoder step " + step + " is not supported");
      }
      blanksAtStart += step.path("start").asInt();
    }

    private void metaspace(JsonNode step) {
      String mark = step.path("replacement").asText("▁");
      if (byteFallback || fused || mark.isEmpty()) {
        throw new IllegalArgumentException("decoder step " + step + " is not supported");
      }
      boolean prepends = step.path("add_prefix_space").asBoolean(true);
      if (!step.path("prepend_scheme").asText("always").equals("never") && prepends) {
        firstTokenMark = mark;
      }
      replacements.add(new Replacement(mark, " "));
    }
  }
}
