/**
 * What a labeling job came to: how many rows got which label, how many of them are right, and the
 * page that shows it. The command uses it; nothing here knows models or rows.
 */
package dev.offload.jobs.labels;
