/** Numbered programs, each with one lesson about the engine's Java API. Nobody uses them. */
package dev.offload.examples;
