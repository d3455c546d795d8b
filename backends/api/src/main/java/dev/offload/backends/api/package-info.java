/**
 * The contract of a compute device: memory, streams, events and the operations a transformer needs.
 * Everything is asynchronous and nothing is model-specific. The engine and the planner use it; each
 * backend implements it.
 */
package dev.offload.backends.api;
