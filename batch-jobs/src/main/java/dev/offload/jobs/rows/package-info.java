/**
 * Rows in and answers out: JSON Lines read lazily and checked as hostile input, and the answers in
 * the shape the row asked in. The command uses it; nothing here prints or knows files other than
 * the input.
 */
package dev.offload.jobs.rows;
