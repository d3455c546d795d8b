/**
 * What is in memory and on disk: number formats, shapes, tiers and byte sizes. Everyone may use it.
 */
package dev.offload.tensors;
