package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.constraint.TextConstraint;
import dev.offload.generation.SamplingParams;
import java.util.Optional;
import java.util.Set;

/**
 * Rows of OpenAI's batch input, {@code {"custom_id", "method", "url", "body"}}, for the endpoints
 * {@value #CHAT} and {@value #TEXT}.
 */
final class OpenAiRows implements RowParser<Row> {
  static final String CHAT = "/v1/chat/completions";
  static final String TEXT = "/v1/completions";

  private static final Set<String> MARKS = Set.of("custom_id", "method", "url", "body");

  private final RowDefaults defaults;
  private final Constraints constraints = new Constraints();

  OpenAiRows(RowDefaults defaults) {
    this.defaults = defaults;
  }

  /** Whether an object is meant as a row of this format. */
  static boolean recognises(ObjectNode object) {
    return MARKS.stream().anyMatch(object::has);
  }

  @Override
  public String idField() {
    return "custom_id";
  }

  @Override
  public Row parse(ObjectNode object, Row.Key key) throws RowException {
    Fields fields = new Fields(object, "");
    fields.ignore(idField());
    if (!fields.text("method").orElse("POST").equals("POST")) {
      throw Fields.wrong("method", object.get("method"), "POST");
    }
    String url = fields.text("url").orElseThrow(() -> fields.wrong("url", "is missing"));
    if (!url.equals(CHAT) && !url.equals(TEXT)) {
      throw Fields.wrong("url", object.get("url"), CHAT + " or " + TEXT);
    }
    JsonNode body = fields.find("body").orElseThrow(() -> fields.wrong("body", "is missing"));
    fields.refuseOthers();
    if (!(body instanceof ObjectNode bodyObject)) {
      throw Fields.wrong("body", body, "an object");
    }
    return body(new Fields(bodyObject, "body."), url.equals(CHAT), key);
  }

  private Row body(Fields body, boolean chat, Row.Key key) throws RowException {
    String model = body.text("model").orElse("");
    Prompt prompt = chat ? messages(body) : prompt(body);
    SamplingParams sampling =
        new SamplingFields(body, defaults, RowDefaults.OPENAI_TEMPERATURE).read();
    Optional<TextConstraint> constraint =
        chat ? constraints.responseFormat(body) : Optional.empty();
    boolean returnTokenIds = body.flag("return_token_ids", false);
    neutral(body, chat);
    body.refuseOthers();
    return new Row(key, RowFormat.OPENAI, model, prompt, sampling, constraint, returnTokenIds);
  }

  private static Prompt prompt(Fields body) throws RowException {
    return PromptFields.prompt(
        "body.prompt", body.find("prompt").orElseThrow(() -> body.wrong("prompt", "is missing")));
  }

  private static Prompt messages(Fields body) throws RowException {
    return PromptFields.messages(
        "body.messages",
        body.find("messages").orElseThrow(() -> body.wrong("messages", "is missing")),
        ToolFields.noTools(body));
  }

  /** Fields of the API that mean nothing offline, or that are supported at one value only. */
  private static void neutral(Fields body, boolean chat) throws RowException {
    body.ignore("user");
    body.ignore("metadata");
    body.ignore("safety_identifier");
    body.ignore("service_tier");
    body.onlyNeutral("stream", "false");
    if (chat) {
      body.ignore("store");
      body.onlyNeutral("modalities", "[\"text\"]");
      body.ignore("parallel_tool_calls");
      return;
    }
    body.onlyNeutral("echo", "false");
    body.onlyNeutral("best_of", "1");
    body.onlyNeutral("suffix", "\"\"");
  }
}
