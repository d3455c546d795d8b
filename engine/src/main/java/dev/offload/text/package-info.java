/**
 * Text to tokens and back: tokenizer, chat templates, incremental decoding with stop texts. The
 * engine and batch jobs may use it.
 */
package dev.offload.text;
