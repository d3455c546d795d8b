package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Reads the config.json of one kind of model. */
interface Family {
  /** The {@code model_type} it reads. */
  String modelType();

  /** Reads everything; refuses what it cannot describe. */
  ModelConfig read(JsonFields config);
}
