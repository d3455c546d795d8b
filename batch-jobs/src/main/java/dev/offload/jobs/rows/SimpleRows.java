package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.constraint.TextConstraint;
import dev.offload.generation.SamplingParams;
import java.util.Optional;

/** Rows {@code {"id"?, "prompt" or "messages", sampling parameters…}}. */
final class SimpleRows implements RowParser<Row> {
  private final RowDefaults defaults;
  private final Constraints constraints = new Constraints();

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
    Optional<TextConstraint> constraint = constraint(fields);
    boolean returnTokenIds = fields.flag("return_token_ids", false);
    fields.refuseOthers();
    return new Row(key, RowFormat.SIMPLE, "", prompt, sampling, constraint, returnTokenIds);
  }

  @Override
  public String idField() {
    return "id";
  }

  private Optional<TextConstraint> constraint(Fields fields) throws RowException {
    if (fields.has("regex") && fields.has("response_format")) {
      throw new RowException("the row has both regex and response_format; give one of them");
    }
    Optional<TextConstraint> regex = constraints.regex(fields);
    return regex.isPresent() ? regex : constraints.responseFormat(fields);
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
