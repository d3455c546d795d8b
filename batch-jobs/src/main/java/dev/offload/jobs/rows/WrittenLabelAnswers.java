package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * Writes the label of each row as {@code {"id", "label"}}, with {@code gold} if the right label is
 * known, one line of JSON each, without the line feed. Where the output was cut off, {@code label}
 * is null and {@code incomplete} the text so far. Owned by one thread.
 */
public final class WrittenLabelAnswers {
  private final JsonFactory factory = new JsonMapper().getFactory();
  private final boolean json;

  /**
   * @param json labels are JSON values, and not texts
   */
  public WrittenLabelAnswers(boolean json) {
    this.json = json;
  }

  /** The line for a labeled row. */
  public byte[] answer(LabelRow row, Choice choice, Optional<String> gold) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator line = factory.createGenerator(bytes)) {
      line.writeStartObject();
      line.writeObjectField("id", row.key().id());
      label(line, choice);
      if (gold.isPresent()) {
        line.writeStringField("gold", gold.get());
      }
      line.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  private void label(JsonGenerator line, Choice choice) throws IOException {
    if (choice.finishReason() == FinishReason.LENGTH) {
      line.writeNullField("label");
      line.writeStringField("incomplete", choice.text());
    } else if (json) {
      line.writeFieldName("label");
      line.writeRawValue(choice.text());
    } else {
      line.writeStringField("label", choice.text());
    }
  }
}
