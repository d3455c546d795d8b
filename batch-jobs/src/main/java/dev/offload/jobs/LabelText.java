package dev.offload.jobs;

import dev.offload.constraint.TextConstraint;

/**
 * What labels that the model writes must be.
 *
 * @param json they are JSON values
 * @param source the regular expression or schema as it was given
 */
record LabelText(TextConstraint constraint, boolean json, String source) {}
