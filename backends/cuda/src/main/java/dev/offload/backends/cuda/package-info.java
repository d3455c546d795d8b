/**
 * The CUDA backend: the driver through JCuda, cuBLAS and NVRTC through FFM. Found with {@link
 * java.util.ServiceLoader}; nothing outside names its classes.
 */
package dev.offload.backends.cuda;
