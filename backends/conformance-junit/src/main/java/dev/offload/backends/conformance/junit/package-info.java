/** The contract of a device as JUnit tests; tests of backends extend what is here. */
package dev.offload.backends.conformance.junit;
