/**
 * Strict reading of the JSON files of a model folder: limits, no duplicate keys, and typed fields
 * whose errors name file, field and value. For the packages of this module and those that read
 * other files of the same folder.
 */
package dev.offload.tensors.json;
