/**
 * Renders prompt templates written in Jinja as Hugging Face transformers renders them. jinjava
 * reads the template; expressions have Python's meaning and reach nothing but the values given to
 * them: there are no files, classes or reflection to get at. Used by {@link
 * dev.offload.text.ChatTemplate}.
 */
package dev.offload.text.jinja;
