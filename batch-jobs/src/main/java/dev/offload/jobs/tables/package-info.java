/**
 * CSV and Parquet, read and written through DuckDB, which runs inside this process and only while a
 * file is read or written. The command uses it.
 */
package dev.offload.jobs.tables;
