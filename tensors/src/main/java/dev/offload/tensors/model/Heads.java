package dev.offload.tensors.model;

import dev.offload.tensors.json.JsonFields;

/** Checks of attention heads. */
final class Heads {
  private Heads() {}

  /** Width of one head where heads share the hidden size evenly. */
  static int width(JsonFields config, String hiddenName, int hidden, String headsName, int heads) {
    if (hidden % heads != 0) {
      throw config.refuse(headsName, "must divide " + hiddenName + ", " + hidden);
    }
    return hidden / heads;
  }

  static void checkDivisible(JsonFields config, String name, int heads, int keyValueHeads) {
    if (heads % keyValueHeads != 0) {
      throw config.refuse(name, "must divide the number of attention heads, " + heads);
    }
  }
}
