/** Which rows of a job begin alike, and the order in which they are computed. For the engine. */
package dev.offload.engine.prefix;
