/**
 * The backend that needs nothing installed: device memory is a budgeted region of RAM, streams are
 * threads, matrix products run in oneDNN or in plain Java, everything else in the Vector API. Found
 * with {@link java.util.ServiceLoader}; nothing outside names its classes.
 */
package dev.offload.backends.cpu;
