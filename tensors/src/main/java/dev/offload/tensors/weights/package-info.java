/**
 * What is placed and moved as one: weight units, the parameters inside them, and which bytes of the
 * checkpoint each parameter is made of. Everyone may use it.
 */
package dev.offload.tensors.weights;
