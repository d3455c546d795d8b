package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Simple rows and OpenAI batch rows. */
record GenerationForms(RowDefaults defaults) implements RowForms<Row> {
  @Override
  public RowFormat formatOf(ObjectNode object) {
    return OpenAiRows.recognises(object) ? RowFormat.OPENAI : RowFormat.SIMPLE;
  }

  @Override
  public RowParser<Row> parser(RowFormat format) {
    return switch (format) {
      case SIMPLE -> new SimpleRows(defaults);
      case OPENAI -> new OpenAiRows(defaults);
    };
  }
}
