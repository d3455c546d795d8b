/**
 * Kernels for graphics processors, written once in a subset of OpenCL C 1.2 that a prelude turns
 * into CUDA C++, and the operations that launch them. Used by the backends that run them.
 */
package dev.offload.backends.kernels;
