package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.generation.SamplingParams;

/** Rows {@code {"id"?, "prompt" or "messages", sampling parameters…}}. */
final class SimpleRows implements RowParser<Row> {
  private final RowDefaults defaults;

  SimpleRows(RowDefaults defaults) {
    this.defaults = defaults;
  }

  @Override
  public Row parse(ObjectNode object, Row.Key key) throws RowException {
    Fields fields = new Fields(object, "");
    fields.ignore(idField());
    Prompt prompt = prompt(fields);
    SamplingParams sampling =
        new SamplingFields(fields, defaults, RowDefaults.SIMPLE_TEMPERATURE).read();
    boolean returnTokenIds = fields.flag("return_token_ids", false);
    fields.refuseOthers();
    return new Row(key, RowFormat.SIMPLE, "", prompt, sampling, returnTokenIds);
  }

  @Override
  public String idField() {
    return "id";
  }

  private static Prompt prompt(Fields fields) throws RowException {
    var prompt = fields.find("prompt");
    var messages = fields.find("messages");
    if (prompt.isPresent() && messages.isPresent()) {
      throw new RowException("the row has both prompt and messages; give one of them");
    }
    if (prompt.isPresent()) {
      return PromptFields.prompt("prompt", prompt.get());
    }
    if (messages.isPresent()) {
      return PromptFields.messages("messages", messages.get(), ToolFields.tools(fields));
    }
    throw new RowException("the row has neither prompt nor messages");
  }
}
