package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * Writes the label of each row as {@code {"id", "label", "probabilities": {label: p}}}, with {@code
 * gold} if the right label is known, one line of JSON each, without the line feed. Owned by one
 * thread.
 */
public final class LabelAnswers {
  private final JsonFactory factory = new JsonMapper().getFactory();
  private final Labels labels;

  public LabelAnswers(Labels labels) {
    this.labels = labels;
  }

  /** The line for a labeled row. */
  public byte[] answer(LabelRow row, LabelChoice choice, Optional<String> gold) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator json = factory.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeObjectField("id", row.key().id());
      json.writeStringField("label", labels.names().get(choice.label()));
      json.writeObjectFieldStart("probabilities");
      for (int i = 0; i < labels.names().size(); i++) {
        json.writeNumberField(labels.names().get(i), choice.probabilities().get(i));
      }
      json.writeEndObject();
      if (gold.isPresent()) {
        json.writeStringField("gold", gold.get());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }
}
