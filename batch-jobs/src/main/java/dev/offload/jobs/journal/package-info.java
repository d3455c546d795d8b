/**
 * What makes a job survive a kill: the journal of finished rows, the group commit that puts rows
 * there, and the output files that are put together from it in input order. The command uses it;
 * nothing here knows what a row says.
 */
package dev.offload.jobs.journal;
