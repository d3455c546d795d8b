package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.offload.constraint.TextConstraint;
import dev.offload.generation.SamplingParams;
import java.util.Optional;

/**
 * One checked row.
 *
 * @param key where it stands and what it is called
 * @param format how it was written, which is how it is answered
 * @param model what an OpenAI row calls the model, echoed in its answer; otherwise empty
 * @param prompt what to continue
 * @param sampling how to choose tokens
 * @param constraint what the answer's text must be
 * @param returnTokenIds the answer carries the ids of prompt and output
 */
public record Row(
    Key key,
    RowFormat format,
    String model,
    Prompt prompt,
    SamplingParams sampling,
    Optional<TextConstraint> constraint,
    boolean returnTokenIds)
    implements Incoming {

  /**
   * Where a row stands and what it is called.
   *
   * @param row its number among the rows of the file, from 0
   * @param line its line in the file, from 1
   * @param id as given, text or integer; JSON null if the row gives none that can be read
   */
  public record Key(long row, long line, JsonNode id) {}
}
