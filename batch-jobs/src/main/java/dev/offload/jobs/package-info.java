/**
 * The {@code offload} command: {@link dev.offload.jobs.Main}, one class per subcommand, and what a
 * terminal sees of a running job. The only package that prints and exits.
 */
package dev.offload.jobs;
