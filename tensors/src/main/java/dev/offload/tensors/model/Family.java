package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Reads the config.json of one kind of model. */
interface Family {
  /** The {@code model_type} it reads. */
  String modelType();

  /** Whether the engine can run it; if not, its sizes are known all the same. */
  default boolean runs() {
    return true;
  }

  /** Reads everything; refuses what it cannot describe. */
  ModelConfig read(JsonFields config);
}
