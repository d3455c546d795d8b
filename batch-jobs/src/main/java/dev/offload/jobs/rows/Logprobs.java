package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.offload.generation.GenerationResult.TokenLogprob;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Writes log-probabilities in the shapes of OpenAI's two endpoints. */
final class Logprobs {
  /** Stands for minus infinity, which JSON cannot write; OpenAI's API does the same. */
  private static final double IMPOSSIBLE = -9999;

  private Logprobs() {}

  /** {@code {content: [{token, logprob, bytes, top_logprobs}], refusal}} of chat completions. */
  static void chat(JsonGenerator json, List<TokenLogprob> logprobs) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("content");
    for (TokenLogprob each : logprobs) {
      json.writeStartObject();
      token(json, each);
      json.writeArrayFieldStart("top_logprobs");
      for (TokenLogprob top : each.top()) {
        json.writeStartObject();
        token(json, top);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullField("refusal");
    json.writeEndObject();
  }

  private static void token(JsonGenerator json, TokenLogprob each) throws IOException {
    json.writeStringField("token", each.text());
    json.writeNumberField("logprob", finite(each.logprob()));
    if (each.text().indexOf('\uFFFD') >= 0) {
      json.writeNullField("bytes");
      return;
    }
    json.writeArrayFieldStart("bytes");
    for (byte part : each.text().getBytes(StandardCharsets.UTF_8)) {
      json.writeNumber(part & 0xFF);
    }
    json.writeEndArray();
  }

  /** {@code {tokens, token_logprobs, top_logprobs, text_offset}} of text completions. */
  static void text(JsonGenerator json, List<TokenLogprob> logprobs) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("tokens");
    for (TokenLogprob each : logprobs) {
      json.writeString(each.text());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("token_logprobs");
    for (TokenLogprob each : logprobs) {
      json.writeNumber(finite(each.logprob()));
    }
    json.writeEndArray();
    json.writeArrayFieldStart("top_logprobs");
    for (TokenLogprob each : logprobs) {
      top(json, each);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("text_offset");
    int offset = 0;
    for (TokenLogprob each : logprobs) {
      json.writeNumber(offset);
      offset += each.text().codePointCount(0, each.text().length());
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  /** Token texts to log-probabilities; of tokens with the same text the likeliest counts. */
  private static void top(JsonGenerator json, TokenLogprob each) throws IOException {
    Set<String> written = new HashSet<>();
    json.writeStartObject();
    for (TokenLogprob top : each.top()) {
      if (written.add(top.text())) {
        json.writeNumberField(top.text(), finite(top.logprob()));
      }
    }
    json.writeEndObject();
  }

  private static double finite(double logprob) {
    return Double.isFinite(logprob) ? logprob : IMPOSSIBLE;
  }
}
