package dev.offload.jobs.plan;

/** What a predictor says of a published point. */
sealed interface Outcome {
  /**
   * A prediction.
   *
   * @param tokensPerSecond as the point counts them
   * @param boundBy what most of the time goes to, for people; empty if the predictor does not know
   */
  record Predicted(double tokensPerSecond, String boundBy) implements Outcome {}

  /**
   * No prediction.
   *
   * @param reason why, for people
   */
  record Unknown(String reason) implements Outcome {}
}
