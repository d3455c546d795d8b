package dev.offload.jobs;

import dev.offload.jobs.rows.LabelRows;
import dev.offload.jobs.rows.Labels;
import dev.offload.jobs.rows.Normalisation;

/**
 * What decides the labels of rows, besides the model.
 *
 * @param rows how rows become prompts
 * @param labels what to choose from
 * @param normalisation how labels of several lengths are compared
 */
record Labeling(LabelRows rows, Labels labels, Normalisation normalisation) {}
