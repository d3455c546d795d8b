/**
 * Devices that OpenCL reaches, through LWJGL. Nothing outside knows these classes but by the
 * backend contract.
 */
package dev.offload.backends.opencl;
