/**
 * How fast the operations of a backend are, through its public contract only: one class per
 * question, measured by JMH. Nothing uses this package.
 */
package dev.offload.backends.benchmarks;
