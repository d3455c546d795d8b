/** Sequences, micro-batches and how they become passes. For the engine. */
package dev.offload.engine.pass;
