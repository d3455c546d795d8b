package dev.offload.engine;

/** For how long a sequence must have room in the KV cache to be let in. */
public enum AdmissionPolicy {
  /**
   * For as many tokens as sequences of this run are expected to get. One that gets more takes the
   * place of the youngest, which goes on later.
   */
  EXPECTED_LENGTH,

  /** For the most tokens that it may get, reserved at once. */
  RESERVE_MOST
}
