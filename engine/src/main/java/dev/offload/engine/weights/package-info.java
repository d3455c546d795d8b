/**
 * Weight units in memory: how they are laid out, where they live, how they get there. For the
 * engine.
 */
package dev.offload.engine.weights;
