package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.TokenIds;
import java.io.IOException;

/**
 * Answers {@code {id, text, finish_reason, usage, …}}, with {@code choices} when there are several.
 */
final class SimpleAnswers {

  void answer(JsonGenerator json, Row row, GenerationResult result) throws IOException {
    json.writeStartObject();
    json.writeObjectField("id", row.key().id());
    if (result.choices().size() == 1) {
      choice(json, row, result.choices().getFirst());
    } else {
      json.writeArrayFieldStart("choices");
      for (Choice choice : result.choices()) {
        json.writeStartObject();
        choice(json, row, choice);
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", Usage.promptTokens(result));
    json.writeNumberField("completion_tokens", Usage.completionTokens(result));
    json.writeEndObject();
    if (row.returnTokenIds()) {
      tokens(json, "prompt_token_ids", result.prompt());
    }
    json.writeEndObject();
  }

  void error(JsonGenerator json, BadRow row) throws IOException {
    json.writeStartObject();
    json.writeNumberField("line", row.key().line());
    json.writeObjectField("id", row.key().id());
    json.writeStringField("error", row.reason());
    json.writeEndObject();
  }

  private static void choice(JsonGenerator json, Row row, Choice choice) throws IOException {
    json.writeStringField("text", choice.text());
    json.writeStringField("finish_reason", Usage.name(choice.finishReason()));
    if (choice.logprobs().isPresent()) {
      json.writeFieldName("logprobs");
      Logprobs.chat(json, choice.logprobs().get());
    }
    if (row.returnTokenIds()) {
      tokens(json, "token_ids", choice.tokens());
    }
  }

  static void tokens(JsonGenerator json, String name, TokenIds tokens) throws IOException {
    int[] ids = tokens.toArray();
    json.writeFieldName(name);
    json.writeArray(ids, 0, ids.length);
  }
}
