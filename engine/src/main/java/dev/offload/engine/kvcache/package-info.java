/** The paged KV cache: which blocks belong to whom, and where the bytes are. For the engine. */
package dev.offload.engine.kvcache;
