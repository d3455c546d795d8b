/**
 * What the text of an output must be: a regular expression or a JSON schema, compiled to an
 * automaton over the bytes of UTF-8. Knows nothing of tokens; anyone may use it.
 */
package dev.offload.constraint;
