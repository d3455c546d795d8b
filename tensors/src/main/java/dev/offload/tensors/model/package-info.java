/**
 * What a model is, whatever its family: {@link dev.offload.tensors.model.ModelConfig} and the
 * classes that read it from a config.json. Everyone may use it.
 */
package dev.offload.tensors.model;
