/** Executors that play a schedule, one task at a time or all lanes at once. For the engine. */
package dev.offload.engine.execute;
