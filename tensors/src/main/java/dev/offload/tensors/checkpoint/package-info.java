/**
 * Checkpoint files as they lie on disk: safetensors, single or sharded, mapped into memory.
 * Everything read from them is checked before it is used. Everyone may use it.
 */
package dev.offload.tensors.checkpoint;
