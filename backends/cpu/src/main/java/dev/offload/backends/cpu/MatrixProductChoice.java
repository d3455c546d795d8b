package dev.offload.backends.cpu;

/** Which implementation computes matrix products. */
enum MatrixProductChoice {
  /** oneDNN where it runs, otherwise Java. */
  AUTO,
  /** oneDNN or an error. */
  ONEDNN,
  /** Java. */
  VECTOR
}
