package dev.offload.jobs.rows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.offload.generation.GenerationResult;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Writes the answer of each row in the shape the row asked in, one line of JSON each, without the
 * line feed. The same row and result give the same bytes. Owned by one thread.
 */
public final class Answers {
  private final JsonFactory factory = new JsonMapper().getFactory();
  private final SimpleAnswers simple = new SimpleAnswers();
  private final OpenAiAnswers openAi;

  /**
   * @param job a short text without spaces that names the job, part of OpenAI answers' ids
   * @param createdSeconds Unix time that OpenAI answers give as theirs
   */
  public Answers(String job, long createdSeconds) {
    this.openAi = new OpenAiAnswers(job, createdSeconds);
  }

  /** The line for a finished row. */
  public byte[] answer(Row row, GenerationResult result) {
    return line(
        json -> {
          switch (row.format()) {
            case SIMPLE -> simple.answer(json, row, result);
            case OPENAI -> openAi.answer(json, row, result);
          }
        });
  }

  /** The line of the error file for a refused row. */
  public byte[] error(BadRow row) {
    return line(
        json -> {
          switch (row.format()) {
            case SIMPLE -> simple.error(json, row);
            case OPENAI -> openAi.error(json, row);
          }
        });
  }

  private byte[] line(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator json = factory.createGenerator(bytes)) {
      body.write(json);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  @FunctionalInterface
  private interface Body {
    void write(JsonGenerator json) throws IOException;
  }
}
