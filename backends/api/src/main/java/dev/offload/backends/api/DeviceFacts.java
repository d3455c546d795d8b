package dev.offload.backends.api;

/**
 * What a device is.
 *
 * @param name as the vendor or the operating system names it
 * @param memoryBytes its memory budget
 * @param computeUnits cores or multiprocessors that compute in parallel
 * @param sharesHostMemory device memory is host memory: {@link Device#wrap} works
 * @param details one line for reports: instruction set, library versions
 */
public record DeviceFacts(
    String name, long memoryBytes, int computeUnits, boolean sharesHostMemory, String details) {}
