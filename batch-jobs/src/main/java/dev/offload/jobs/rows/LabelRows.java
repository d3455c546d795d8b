package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How rows are read for labeling: any object, whose fields fill a template.
 *
 * @param template makes the prompt
 * @param chat the prompt is a user's message, written with the model's chat template
 * @param goldField holds the right label, if a field of the row does
 */
public record LabelRows(Template template, boolean chat, Optional<String> goldField)
    implements RowForms<LabelRow>, RowParser<LabelRow> {
  private static final String ID = "id";

  /** All fields that are read. */
  public Set<String> fields() {
    Set<String> names = new LinkedHashSet<>(template.fields());
    goldField.ifPresent(names::add);
    return names;
  }

  @Override
  public RowFormat formatOf(ObjectNode object) {
    return RowFormat.SIMPLE;
  }

  @Override
  public RowParser<LabelRow> parser(RowFormat format) {
    return this;
  }

  @Override
  public String idField() {
    return ID;
  }

  @Override
  public LabelRow parse(ObjectNode object, Row.Key key) throws RowException {
    if (key.id().isIntegralNumber() && !key.id().canConvertToLong()) {
      throw Fields.wrong(ID, key.id(), "a text, or a whole number that fits 64 bits");
    }
    String text = template.fill(object);
    Prompt prompt =
        chat ? new Prompt.Chat(List.of(new ChatMessage("user", text))) : new Prompt.Text(text);
    return new LabelRow(key, prompt, gold(object));
  }

  /** The right label; a row without one is labeled all the same. */
  private Optional<String> gold(ObjectNode object) throws RowException {
    JsonNode gold = goldField.map(object::get).orElse(null);
    return gold == null || gold.isNull()
        ? Optional.empty()
        : Optional.of(Fields.scalar(goldField.get(), gold));
  }
}
