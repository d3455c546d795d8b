/**
 * The contract of a device as checks that need no test framework: a test runs them, and so does a
 * program on a machine that has nothing else. What is right is decided by {@link
 * dev.offload.backends.conformance.ReferenceOperations}, plain Java in double precision.
 */
package dev.offload.backends.conformance;
