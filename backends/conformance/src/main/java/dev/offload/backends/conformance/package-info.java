/**
 * The contract test of a device: every backend's tests subclass {@link
 * dev.offload.backends.conformance.DeviceConformance}. What is right is decided by {@link
 * dev.offload.backends.conformance.ReferenceOperations}, plain Java in double precision.
 */
package dev.offload.backends.conformance;
