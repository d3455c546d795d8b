/**
 * The engine: passes, KV cache, rings and executors, behind {@link dev.offload.engine.Engine}.
 * Batch jobs and programs that embed the engine may use it.
 */
package dev.offload.engine;
