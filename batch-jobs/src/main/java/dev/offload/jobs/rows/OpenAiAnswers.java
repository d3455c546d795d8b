package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import java.io.IOException;

/** Answers in the shape of OpenAI's batch output, with vLLM's fields for token ids. */
final class OpenAiAnswers {
  private final String job;
  private final long createdSeconds;

  OpenAiAnswers(String job, long createdSeconds) {
    this.job = job;
    this.createdSeconds = createdSeconds;
  }

  void answer(JsonGenerator json, Row row, GenerationResult result) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", name("batch_req_", row.key()));
    json.writeObjectField("custom_id", row.key().id());
    json.writeObjectFieldStart("response");
    json.writeNumberField("status_code", 200);
    json.writeStringField("request_id", name("req_", row.key()));
    json.writeObjectFieldStart("body");
    body(json, row, result);
    json.writeEndObject();
    json.writeEndObject();
    json.writeNullField("error");
    json.writeEndObject();
  }

  void error(JsonGenerator json, BadRow row) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", name("batch_req_", row.key()));
    json.writeObjectField("custom_id", row.key().id());
    json.writeNullField("response");
    json.writeObjectFieldStart("error");
    json.writeStringField("code", "invalid_request");
    json.writeStringField("message", row.reason());
    json.writeEndObject();
    json.writeNumberField("line", row.key().line());
    json.writeEndObject();
  }

  private void body(JsonGenerator json, Row row, GenerationResult result) throws IOException {
    boolean chat = row.prompt() instanceof Prompt.Chat;
    json.writeStringField("id", name(chat ? "chatcmpl-" : "cmpl-", row.key()));
    json.writeStringField("object", chat ? "chat.completion" : "text_completion");
    json.writeNumberField("created", createdSeconds);
    json.writeStringField("model", row.model());
    json.writeArrayFieldStart("choices");
    for (int i = 0; i < result.choices().size(); i++) {
      choice(json, row, result, i);
    }
    json.writeEndArray();
    usage(json, result);
    if (chat && row.returnTokenIds()) {
      SimpleAnswers.tokens(json, "prompt_token_ids", result.prompt());
    }
  }

  private static void choice(JsonGenerator json, Row row, GenerationResult result, int index)
      throws IOException {
    boolean chat = row.prompt() instanceof Prompt.Chat;
    Choice choice = result.choices().get(index);
    json.writeStartObject();
    json.writeNumberField("index", index);
    if (chat) {
      json.writeObjectFieldStart("message");
      json.writeStringField("role", "assistant");
      json.writeStringField("content", choice.text());
      json.writeNullField("refusal");
      json.writeEndObject();
    } else {
      json.writeStringField("text", choice.text());
    }
    logprobs(json, choice, chat);
    json.writeStringField("finish_reason", Usage.name(choice.finishReason()));
    if (row.returnTokenIds()) {
      SimpleAnswers.tokens(json, "token_ids", choice.tokens());
    }
    if (!chat && row.returnTokenIds()) {
      SimpleAnswers.tokens(json, "prompt_token_ids", result.prompt());
    }
    json.writeEndObject();
  }

  private static void logprobs(JsonGenerator json, Choice choice, boolean chat) throws IOException {
    json.writeFieldName("logprobs");
    if (choice.logprobs().isEmpty()) {
      json.writeNull();
    } else if (chat) {
      Logprobs.chat(json, choice.logprobs().get());
    } else {
      Logprobs.text(json, choice.logprobs().get());
    }
  }

  private static void usage(JsonGenerator json, GenerationResult result) throws IOException {
    int prompt = Usage.promptTokens(result);
    int completion = Usage.completionTokens(result);
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", prompt);
    json.writeNumberField("completion_tokens", completion);
    json.writeNumberField("total_tokens", prompt + completion);
    json.writeEndObject();
  }

  private String name(String prefix, Row.Key key) {
    return "%s%s-%08x".formatted(prefix, job, key.row());
  }
}
